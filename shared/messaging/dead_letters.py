"""What operators do with events that could not be handled: list, show, retry, drop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.bus.headers import unpack
from shared.bus.port import LoggedRecord
from shared.kernel import logging
from shared.kernel.errors import Conflict, NotFound
from shared.messaging import letters, marks
from shared.messaging.batch import (
    BEHIND,
    Arrival,
    LetterState,
    Marks,
    Plan,
    plan_batch,
    read_arrival,
)
from shared.messaging.dispatcher import run_waves
from shared.messaging.faults import is_transient, reason_of
from shared.messaging.subscriptions import C, Subscriptions
from shared.messaging.tables import dead_letters
from shared.messaging.unit_of_work import Messaging, UnitOfWork

log = logging.get(__name__)

AnyRow = sa.Row[*tuple[Any, ...]]


class LetterNotFound(NotFound):
    """No such dead letter; it may have been handled meanwhile."""

    code = "dead-letter-not-found"


class NotTheFirst(Conflict):
    """Only the first event that a complaint waits for can be dropped."""

    code = "not-the-first"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One event that could not be handled. `state` is `parked` or `dead`."""

    id: int
    state: str
    reason: str
    complaint_id: str | None
    source: str | None
    sequence: int | None
    type: str | None
    created_at: datetime
    record: LoggedRecord


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a complaint's letters: how many were handled, how many still wait, and why."""

    handled: int
    waiting: int
    reason: str | None = None


class DeadLetters(Generic[C]):
    """The parked and dead events of one service."""

    def __init__(
        self, *, messaging: Messaging, subscriptions: Subscriptions[C], container: C
    ) -> None:
        self._messaging = messaging
        self._subscriptions = subscriptions
        self._container = container

    async def list(self, *, after: int = 0, limit: int = 100) -> Sequence[DeadLetter]:
        """Return letters in the order in which they came, those with an id above `after`."""
        query = (
            sa.select(dead_letters)
            .where(dead_letters.c.id > after)
            .order_by(dead_letters.c.id)
            .limit(limit)
        )
        async with self._messaging.database.read() as connection:
            return [_letter_of(row) for row in await connection.execute(query)]

    async def show(self, letter_id: int) -> DeadLetter:
        """Return one letter; raises LetterNotFound."""
        async with self._messaging.database.read() as connection:
            return await _find(connection, letter_id)

    async def retry(self, letter: int | str) -> Outcome:
        """Handle a letter again, by its id or its complaint's, and what waits behind it, in order.

        Where an event still fails, those before it stay handled and it is the first that waits.
        Raises LetterNotFound, and Unavailable where something needed is away.
        """
        found = await self._resolve(letter)
        if found.state == LetterState.DEAD or found.complaint_id is None:
            return await self._retry_alone(found)
        return await self._release(found.complaint_id)

    async def drop(self, letter: int | str) -> Outcome:
        """Give a letter up for good and handle what waits behind it.

        The mark of its source moves past it. Raises LetterNotFound, or NotTheFirst naming the
        letter that comes before it.
        """
        found = await self._resolve(letter)
        async with self._messaging.unit_of_work() as unit:
            await _move_mark(unit.connection, found)
            await _forget(unit.connection, found)
        log.warning("event.dropped", letter=found.id, complaint_id=found.complaint_id)
        if found.state == LetterState.DEAD or found.complaint_id is None:
            await self._measure()
            return Outcome(handled=0, waiting=0)
        return await self._release(found.complaint_id)

    async def _resolve(self, letter: int | str) -> DeadLetter:
        async with self._messaging.database.read() as connection:
            if isinstance(letter, int):
                return await _find(connection, letter)
            parked = await _parked_rows(connection, letter)
        if not parked:
            raise LetterNotFound(f"nothing of complaint {letter} is parked")
        return _letter_of(parked[0])

    async def _retry_alone(self, found: DeadLetter) -> Outcome:
        """Handle a letter whose complaint does not wait for it; its mark is behind it already."""
        arrival = read_arrival(found.record)
        if arrival.complaint_id is None or arrival.sequence is None or arrival.source is None:
            return Outcome(handled=0, waiting=1, reason=found.reason)
        before = {(arrival.complaint_id, arrival.source): arrival.sequence - 1}
        plan = self._plan([arrival], before)
        if plan.letters:
            return Outcome(handled=0, waiting=1, reason=plan.letters[0].reason)
        async with self._messaging.unit_of_work() as unit:
            await _forget(unit.connection, found)
            await run_waves(plan, unit, self._subscriptions, self._container)
        await self._measure()
        return Outcome(handled=1, waiting=0)

    async def _release(self, complaint_id: str) -> Outcome:
        """Replay what is parked: all at once, or where that fails one by one up to the failure."""
        try:
            outcome = await self._replay(complaint_id, limit=None)
        except Exception as failure:
            if is_transient(failure):
                raise
            outcome = await self._release_one_by_one(complaint_id)
        await self._measure()
        log.info(
            "complaint.released" if outcome.waiting == 0 else "complaint.still_parked",
            complaint_id=complaint_id,
            handled=outcome.handled,
            waiting=outcome.waiting,
            reason=outcome.reason,
        )
        return outcome

    async def _release_one_by_one(self, complaint_id: str) -> Outcome:
        handled = 0
        while True:
            try:
                outcome = await self._replay(complaint_id, limit=1)
            except Exception as failure:
                if is_transient(failure):
                    raise
                reason = reason_of(failure)
                log.error("event.failed_again", exc_info=failure, complaint_id=complaint_id)
                return Outcome(handled, await self._blame_first(complaint_id, reason), reason)
            handled += outcome.handled
            if outcome.waiting == 0 or outcome.reason is not None:
                return Outcome(handled, outcome.waiting, outcome.reason)

    async def _replay(self, complaint_id: str, *, limit: int | None) -> Outcome:
        """Handle the first `limit` parked events of a complaint in one transaction."""
        async with self._messaging.unit_of_work() as unit:
            # Two statements: the second sees what a dispatcher parked until the lock was ours.
            await letters.lock(unit.connection, [complaint_id])
            rows = await _parked_rows(unit.connection, complaint_id)
            standing = await marks.load(unit.connection, [complaint_id])
            arrivals = in_story_order([_arrival_of(row) for row in rows], standing.marks)[:limit]
            plan = self._plan(arrivals, standing.marks)
            await run_waves(plan, unit, self._subscriptions, self._container)
            await marks.store(unit.connection, plan.marks, standing.marks)
            return await _settle(unit, rows, arrivals, plan)

    async def _blame_first(self, complaint_id: str, reason: str) -> int:
        """Write the reason on the event that holds the complaint; returns how many wait."""
        async with self._messaging.database.write() as connection:
            rows = await _parked_rows(connection, complaint_id)
            standing = await marks.load(connection, [complaint_id])
            first = in_story_order([_arrival_of(row) for row in rows], standing.marks)[0]
            await _give_reason(connection, first, reason)
            return len(rows)

    def _plan(self, arrivals: Sequence[Arrival], known: Marks) -> Plan:
        return plan_batch(arrivals, marks=known, parked=(), handled=self._subscriptions.by_name)

    async def _measure(self) -> None:
        async with self._messaging.database.read() as connection:
            await letters.measure(connection, self._subscriptions.group)


def in_story_order(arrivals: Sequence[Arrival], known: Marks) -> Sequence[Arrival]:
    """Order parked events as they came, but an event behind a gap after the one that fills it."""
    reached = {source: sequence for (_complaint, source), sequence in known.items()}
    waiting = list(arrivals)
    ordered: list[Arrival] = []
    while waiting:
        ready = (a for a in waiting if (a.sequence or 0) <= reached.get(a.source or "", 0) + 1)
        chosen = next(ready, None)
        if chosen is None:
            return ordered + waiting
        waiting.remove(chosen)
        ordered.append(chosen)
        source = chosen.source or ""
        reached[source] = max(reached.get(source, 0), chosen.sequence or 0)
    return ordered


async def _move_mark(connection: AsyncConnection, dropped: DeadLetter) -> None:
    """Move the mark past a dropped event, so that the next one follows it without a gap."""
    complaint_id, source, sequence = dropped.complaint_id, dropped.source, dropped.sequence
    if dropped.state == LetterState.DEAD or not (complaint_id and source and sequence):
        return
    await letters.lock(connection, [complaint_id])
    rows = await _parked_rows(connection, complaint_id)
    standing = await marks.load(connection, [complaint_id])
    first = in_story_order([_arrival_of(row) for row in rows], standing.marks)[:1]
    for arrival in first:
        if _position(arrival.record) != _position(dropped.record):
            ahead = next(r for r in rows if _position(_record(r)) == _position(arrival.record))
            raise NotTheFirst(f"the complaint waits for dead letter {ahead.id} first")
    if standing.marks.get((complaint_id, source), 0) < sequence:
        await marks.store(connection, {(complaint_id, source): sequence}, standing.marks)


async def _settle(
    unit: UnitOfWork, rows: Sequence[AnyRow], tried: Sequence[Arrival], plan: Plan
) -> Outcome:
    """Remove what was handled, and write the reason on what still holds the complaint."""
    kept = {_position(letter.arrival.record): letter for letter in plan.letters}
    done = [a for a in tried if _position(a.record) not in kept]
    for arrival in done:
        await unit.connection.execute(sa.delete(dead_letters).where(_at(arrival)))
    reason = None
    for letter in plan.letters:
        if letter.reason == BEHIND:
            continue
        if letter.state is LetterState.PARKED:
            reason = letter.reason
        await unit.connection.execute(
            sa.update(dead_letters)
            .where(_at(letter.arrival))
            .values(state=letter.state.value, reason=letter.reason)
        )
    dead = sum(letter.state is LetterState.DEAD for letter in plan.letters)
    return Outcome(handled=len(done), waiting=len(rows) - len(done) - dead, reason=reason)


async def _give_reason(connection: AsyncConnection, arrival: Arrival, reason: str) -> None:
    await connection.execute(sa.update(dead_letters).where(_at(arrival)).values(reason=reason))


async def _forget(connection: AsyncConnection, letter: DeadLetter) -> None:
    gone = await connection.execute(sa.delete(dead_letters).where(dead_letters.c.id == letter.id))
    if gone.rowcount == 0:
        raise LetterNotFound(f"dead letter {letter.id} is not there any more")


async def _find(connection: AsyncConnection, letter_id: int) -> DeadLetter:
    query = sa.select(dead_letters).where(dead_letters.c.id == letter_id)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise LetterNotFound(f"there is no dead letter {letter_id}")
    return _letter_of(row)


async def _parked_rows(connection: AsyncConnection, complaint_id: str) -> Sequence[AnyRow]:
    query = (
        sa.select(dead_letters)
        .where(dead_letters.c.complaint_id == complaint_id)
        .where(dead_letters.c.state == LetterState.PARKED.value)
        .order_by(dead_letters.c.id)
    )
    return (await connection.execute(query)).all()


def _letter_of(row: AnyRow) -> DeadLetter:
    return DeadLetter(
        id=row.id,
        state=row.state,
        reason=row.reason,
        complaint_id=row.complaint_id,
        source=row.source,
        sequence=row.sequence,
        type=row.type,
        created_at=row.created_at,
        record=_record(row),
    )


def _record(row: AnyRow) -> LoggedRecord:
    return LoggedRecord(
        topic=row.topic,
        partition=row.partition,
        offset=row.offset,
        timestamp_ms=round(row.logged_at.timestamp() * 1000),
        key=row.key,
        value=row.value,
        headers=unpack(row.headers),
    )


def _arrival_of(row: AnyRow) -> Arrival:
    return read_arrival(_record(row))


def _position(record: LoggedRecord) -> tuple[str, int, int]:
    return record.topic, record.partition, record.offset


def _at(arrival: Arrival) -> sa.ColumnElement[bool]:
    topic, partition, offset = _position(arrival.record)
    return sa.and_(
        dead_letters.c.topic == topic,
        dead_letters.c.partition == partition,
        dead_letters.c.offset == offset,
    )
