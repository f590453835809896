"""Workflow's own line of schema changes."""
