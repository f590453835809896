"""Long VALUES put in every row once, in order, whatever their number."""

from __future__ import annotations

import sqlite3

import pytest

from shared.db.values import values_sqlite


@pytest.mark.parametrize("count", [0, 1, 24, 25, 26, 50, 503])
def test_every_row_goes_in_once_and_in_order(count: int) -> None:
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, a, b)")
    rows = [(f"a{number}", bytes([number % 256])) for number in range(count)]

    for sql, group in values_sqlite("INSERT INTO t (a, b)", rows):
        database.executemany(sql, group)

    assert database.execute("SELECT a, b FROM t ORDER BY id").fetchall() == rows
    database.close()


def test_what_follows_the_values_holds_for_every_row() -> None:
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE t (a PRIMARY KEY)")
    rows = [(number % 20,) for number in range(60)]

    for sql, group in values_sqlite("INSERT INTO t", rows, "ON CONFLICT DO NOTHING"):
        database.executemany(sql, group)

    assert database.execute("SELECT count(*) FROM t").fetchone() == (20,)
    database.close()
