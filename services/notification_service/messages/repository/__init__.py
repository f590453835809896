"""Statements over the tables of messages, in bulk."""
