"""Analytics through HTTP and its loop, on a real DuckDB file."""
