"""Who of several replicas does what only one may do, such as to relay or to follow the log."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.db.database import Database


@asynccontextmanager
async def leadership(
    database: Database, lock: int
) -> AsyncIterator[tuple[bool, AsyncConnection | None]]:
    """Tell whether the caller may lead, with the session that holds PostgreSQL's advisory lock.

    Its statements are transactions of their own: BEGIN and ROLLBACK around each look were two of
    three round trips, 30 times a second. A lock can be lost unseen with its session, so what the
    leader writes must be fenced as well. On SQLite there is one process and so one leader.
    """
    if database.dialect == "sqlite":
        yield True, None
        return
    async with database.read() as opened:
        session = await opened.execution_options(isolation_level="AUTOCOMMIT")
        leads = bool(await session.scalar(sa.select(sa.func.pg_try_advisory_lock(lock))))
        try:
            yield leads, session
        finally:
            if leads:
                # Back in the pool the session would keep its lock: end it.
                await session.invalidate()
