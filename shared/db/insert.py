"""`INSERT … ON CONFLICT`, which SQLAlchemy has for each dialect apart, in the same words."""

from __future__ import annotations

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite


def insert_into(table: Table, dialect: str) -> sqlite.Insert | postgresql.Insert:
    """Return an insert that can say what happens where a row exists."""
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)
