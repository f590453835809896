"""The paths of cases: acting on them, and what time makes of them."""
