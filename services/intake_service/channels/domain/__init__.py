"""Rows, mappings and what a row means. No database, no HTTP."""
