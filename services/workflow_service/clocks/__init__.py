"""Clocks: targets, business time, and the timers that fire when it is up."""
