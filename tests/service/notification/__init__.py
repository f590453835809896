"""Notification's use cases on real databases and against real gateways on loopback."""
