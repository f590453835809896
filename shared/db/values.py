"""Rows for SQLite's driver, in long `VALUES`: many rows at each of its steps.

The driver lets go of the interpreter at every step, and where a loop is busy gets it back only
after milliseconds: row by row, a few hundred rows take seconds there.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import chain

Row = tuple[object, ...]

_ROWS_A_STEP = 25
"""More at a time gain nothing and keep longer statements in memory."""


def values_sqlite(
    insert: str, rows: Sequence[Row], ending: str = ""
) -> list[tuple[str, list[Row]]]:
    """Return the statements that insert rows, each with its parameters for `executemany`.

    `insert` goes up to VALUES, `ending` is what follows the values.
    """
    whole = len(rows) - len(rows) % _ROWS_A_STEP
    steps = [
        tuple(chain.from_iterable(rows[start : start + _ROWS_A_STEP]))
        for start in range(0, whole, _ROWS_A_STEP)
    ]
    width = len(rows[0]) if rows else 0
    many, one = _values(width, _ROWS_A_STEP), _values(width, 1)
    found = [(f"{insert} {many} {ending}", steps), (f"{insert} {one} {ending}", list(rows[whole:]))]
    return [(sql, group) for sql, group in found if group]


@cache
def _values(width: int, rows: int) -> str:
    row = f"({', '.join('?' * width)})"
    return f"VALUES {', '.join([row] * rows)}"
