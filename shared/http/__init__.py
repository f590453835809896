"""HTTP as every service speaks it: problems, access, lists, health, calls to other services."""
