"""Calendars: which seconds are working time, where, and why."""
