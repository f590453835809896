"""Errors, clock, ids, secrets, settings and logging: what everything else stands on."""
