"""Cases as callers see them, and what they send to act on one."""
