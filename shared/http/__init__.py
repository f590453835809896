"""HTTP as every service speaks it: problems, access, pages of a list, health, and calls to others."""
