"""Percentiles in little memory are the same as those of the database."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import duckdb
import pytest

from services.analytics_service.metrics.repository.percentiles import TwoPasses
from services.analytics_service.projections.domain.bands import band_of

SHARES = (0.5, 0.9, 0.99)


def _values(chance: random.Random, kind: str) -> list[float | None]:
    if kind == "spread":
        return [chance.lognormvariate(8, 3) for _ in range(3000)]
    if kind == "whole days":
        return [86400.0 * chance.randrange(9) for _ in range(3000)]
    if kind == "with negatives and missing":
        return [chance.choice([None, chance.gauss(0, 5000), 0.0]) for _ in range(3000)]
    return [42.5]


def _spans(seconds: float | None) -> tuple[float | None, int | None]:
    if seconds is None:
        return None, None
    span = timedelta(seconds=seconds)
    return span.total_seconds(), band_of(span)


@pytest.mark.parametrize("kind", ["spread", "whole days", "with negatives and missing", "only one"])
@pytest.mark.parametrize("keys", [[], ["name"], ["name", "week"]])
def test_two_passes_give_what_the_database_gives(kind: str, keys: list[str]) -> None:
    chance = random.Random(kind)
    connection = duckdb.connect()
    connection.execute(
        "CREATE TABLE facts (name VARCHAR, week INTEGER, total DOUBLE, total_band SMALLINT)"
    )
    connection.executemany(
        "INSERT INTO facts VALUES (?, ?, ?, ?)",
        [
            (chance.choice(["a", "b", None]), chance.randrange(2), *_spans(value))
            for value in _values(chance, kind)
        ],
    )

    def run(statement: str, parameters: Sequence[object]) -> list[tuple[Any, ...]]:
        return connection.execute(statement, list(parameters)).fetchall()

    found = TwoPasses(run, "total", keys, ["week >= 0"]).distributions(SHARES)

    columns = "".join(f"{key}, " for key in keys)
    expected = connection.execute(
        f"SELECT {columns}count(total), avg(total), quantile_cont(total, {list(SHARES)}) "
        "FROM facts WHERE total IS NOT NULL GROUP BY ALL"
    ).fetchall()
    assert {each.key for each in found} == {tuple(row[:-3]) for row in expected}
    for *key, count, mean, percentiles in expected:
        mine = next(each for each in found if each.key == tuple(key))
        assert mine.count == count
        assert mine.mean == pytest.approx(mean)
        assert list(mine.percentiles) == pytest.approx(percentiles, rel=1e-12, abs=1e-9)
