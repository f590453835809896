"""Notification's pure rules and wordings."""
