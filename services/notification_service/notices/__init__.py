"""Notices: proof of what customers were told, and an alarm where a mandatory one has none."""
