"""How SQLite finds rows: its plans do not depend on how much lies in the tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from shared.db.database import Database

Statement = tuple[str, Any]


@contextmanager
def noted(table: str) -> Iterator[list[Statement]]:
    """Note the statements that are executed about a table."""
    found: list[Statement] = []

    def note(_connection: Any, _cursor: Any, text: str, values: Any, *_more: Any) -> None:
        if table in text:
            found.append((text, values))

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)


async def ways(database: Database, table: str, statements: Sequence[Statement]) -> set[str]:
    """Return how SQLite finds the rows of a table for statements."""
    found: set[str] = set()
    async with database.read() as connection:
        for text, values in statements:
            plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", values)
            details = [str(row._mapping["detail"]) for row in plan]
            found |= {one for one in details if table in one}
    return found
