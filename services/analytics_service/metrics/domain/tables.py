"""Answers as rows of a table, for CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

Row = Sequence[object]


def to_csv(header: Sequence[str], rows: Iterable[Row]) -> str:
    """Write a table as CSV (RFC 4180); a missing value is an empty field."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows([["" if value is None else _safe(value) for value in row] for row in rows])
    return text.getvalue()


def _safe(value: object) -> object:
    """Keep a spreadsheet from taking a value for a formula."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t"):
        return f"'{value}"
    return value
