"""Redress and what it stands on, as plain processes on this machine, for developers and tests.

`python -m deploy.local services|up|down|assets`; the Makefile names each of them.
"""
