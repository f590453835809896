"""Escalation: the way up inside the house."""
