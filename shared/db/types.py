"""Column types that mean the same on SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import DateTime, LargeBinary, String, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC instant: `timestamptz` on PostgreSQL, fixed-width ISO text on SQLite.

    The text sorts as time does and can be read in the sqlite3 shell. Naive values are refused.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the column type of the dialect."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(String(27))
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Write an instant; raises ValueError for a naive one."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("naive datetimes are not stored")
        if dialect.name != "sqlite":
            return value
        return utc_text(value)

    def process_result_value(self, value: Any, _dialect: Dialect) -> datetime | None:
        """Read an instant, in UTC."""
        if value is None:
            return None
        if isinstance(value, str):
            return datetime.fromisoformat(value)
        found: datetime = value.astimezone(UTC)
        return found


class JsonDocument(TypeDecorator[Any]):
    """A JSON value in one text column, read and written by orjson on both dialects.

    Text and not `jsonb`: nothing queries inside, and raw asyncpg statements pass it as it is.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, _dialect: Dialect) -> str | None:
        """Write a JSON value."""
        return None if value is None else orjson.dumps(value).decode()

    def process_result_value(self, value: Any, _dialect: Dialect) -> Any:
        """Read a JSON value."""
        return None if value is None else orjson.loads(value)


Bytes = LargeBinary


def utc_text(value: datetime) -> str:
    """Write an instant as SQLite holds it: `2026-11-22T08:00:00.000000Z`."""
    # In UTC before it is looked up: where summer time ends, two local instants are equal.
    return _text_of(value if value.tzinfo is UTC else value.astimezone(UTC))


@lru_cache(maxsize=256)
def _text_of(at: datetime) -> str:
    # `strftime` costs four times as much, and a batch has thousands of instants, most of them its
    # own beginning.
    return at.isoformat("T", "microseconds")[:-6] + "Z"
