"""The complaint as data and rules: no database, no HTTP, no clock."""
