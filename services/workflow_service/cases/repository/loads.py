"""How many open cases people have, for routing."""

from __future__ import annotations

from collections.abc import Collection

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.workflow_service.cases.models import IS_OPEN

MOST = 1000
"""Nobody is counted beyond: the work grows with the people, not with the cases that are open."""

_COUNT = """
SELECT asked.owner, (
    SELECT count(*) FROM (
        SELECT 1 FROM cases WHERE owner = asked.owner AND {is_open} LIMIT {most}
    ) AS counted
) AS open_cases FROM {people}
"""
_STATEMENTS = {
    dialect: text(_COUNT.format(is_open=IS_OPEN, most=MOST, people=people))
    for dialect, people in (
        ("postgresql", "json_array_elements_text(CAST(:people AS json)) AS asked (owner)"),
        ("sqlite", "(SELECT value AS owner FROM json_each(:people)) AS asked"),
    )
}


async def open_loads(connection: AsyncConnection, people: Collection[str]) -> dict[str, int]:
    """Return how many open cases each of these people owns, up to MOST.

    A look into the index of open cases by owner for each of them. No table of counters: every
    assignment of every replica would wait for the row of its owner.
    """
    bound = {"people": orjson.dumps(list(people)).decode()}
    rows = await connection.execute(_STATEMENTS[connection.dialect.name], bound)
    return {row.owner: row.open_cases for row in rows}
