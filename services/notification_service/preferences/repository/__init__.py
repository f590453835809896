"""Preferences as they are stored, many at once, and the time zones of regions."""
