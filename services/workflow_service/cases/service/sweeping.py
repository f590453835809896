"""After a calendar has changed: every open case's clocks follow, a batch at a time."""

from __future__ import annotations

from sqlalchemy import delete, select, update

from services.workflow_service.calendars.models import calendar_sweeps as sweeps
from services.workflow_service.cases.domain.calendars import follow_calendars
from services.workflow_service.cases.repository import reading
from services.workflow_service.cases.repository.storage import lock_cases, store
from services.workflow_service.cases.service.desk import Desk, publish

SWEPT = 200
"""How many cases follow in one transaction."""


async def sweep_once(desk: Desk) -> int:
    """Let the next batch of open cases follow a changed calendar; return how many were seen.

    One replica at a time holds the sweep; where it dies, another goes on from its last batch.
    """
    async with desk.database.read() as connection:
        if await connection.scalar(select(sweeps.c.name).limit(1)) is None:
            return 0
    async with desk.messaging.unit_of_work() as uow:
        statement = select(sweeps).limit(1).with_for_update(skip_locked=True)
        sweep = (await uow.connection.execute(statement)).mappings().one_or_none()
        if sweep is None:
            return 0
        await desk.refresh(uow.connection)
        ids = await reading.open_ids(uow.connection, after_id=sweep["after_id"], limit=SWEPT)
        if not ids:
            await uow.connection.execute(delete(sweeps).where(sweeps.c.name == sweep["name"]))
            return 0
        found = await lock_cases(uow.connection, ids)
        await desk.ensure_known(uow.connection, found.values())
        changes = [
            change
            for case in found.values()
            if (change := follow_calendars(case, now=uow.now, rules=desk.rules)) is not None
        ]
        await store(uow.connection, changes, now=uow.now)
        await uow.connection.execute(
            update(sweeps).where(sweeps.c.name == sweep["name"]).values(after_id=ids[-1])
        )
        publish(uow, changes)
    return len(ids)
