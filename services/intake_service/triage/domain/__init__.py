"""Rules and decisions as data and pure functions: no YAML, no database, no clock."""
