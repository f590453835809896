"""Complaints: what the customer said, as received; additions, grading and how it went on."""
