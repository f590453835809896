"""Statements about complaints: `group` writes many at once, `reading` finds, `changing` follows."""
