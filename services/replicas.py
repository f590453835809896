"""One process per replica name: two with one name would take over each other's work.

A Kafka group knows a member by its replica's name, and notification takes up at the start what its
own name left behind; both are wrong where the other still runs.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import sqlalchemy as sa

from services.composition import database_setting
from shared.db.database import Database
from shared.kernel.errors import ConfigurationError

_LOCK_SPACE = 0x5EDE5
_PATIENCE_SECONDS = 10.0
_PAUSE_SECONDS = 0.25


@asynccontextmanager
async def only_replica(url: str, *, service: str, name: str) -> AsyncIterator[None]:
    """Hold the name `name` in the service's PostgreSQL; raises ConfigurationError where it is held.

    A session's advisory lock goes with its process, however that ends; so a replica that starts
    again waits a moment for its predecessor's.
    """
    database = Database.open(url, setting=database_setting(service), pool_size=1)
    if database.dialect != "postgresql":
        await database.close()
        yield
        return
    lock = sa.select(sa.func.pg_try_advisory_lock(_LOCK_SPACE, zlib.crc32(name.encode()) >> 1))
    try:
        async with database.read() as session:
            deadline = asyncio.get_running_loop().time() + _PATIENCE_SECONDS
            while not await session.scalar(lock):
                if asyncio.get_running_loop().time() > deadline:
                    raise ConfigurationError(
                        "REDRESS_REPLICA", f"{name} runs already; give this one another number"
                    )
                await asyncio.sleep(_PAUSE_SECONDS)
            await session.rollback()  # ends the transaction; the session keeps its lock
            yield
    finally:
        await database.close()
