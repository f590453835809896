"""Remedies: what may be offered to a customer, and by whose authority."""
