"""The relational database of one service: SQLite embedded, PostgreSQL distributed, one code."""
