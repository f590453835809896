"""Statements of webhooks."""
