"""Operators' paths: `routes` rebuilds, `letters` shows what waits or is broken."""
