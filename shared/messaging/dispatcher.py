"""The dispatcher: brings the log to a service's handlers, one transaction per batch."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Generic, Literal

from shared.bus.port import Bus, Consumer, LoggedRecord, TopicPartition, next_positions
from shared.kernel import logging
from shared.messaging import letters, marks, metrics
from shared.messaging.batch import (
    Letter,
    LetterState,
    Plan,
    complaints_of,
    plan_batch,
    read_arrival,
)
from shared.messaging.faults import is_transient, reason_of
from shared.messaging.pauses import Pace, jittered, pause_for
from shared.messaging.subscriptions import C, Subscriptions
from shared.messaging.unit_of_work import Messaging, UnitOfWork

log = logging.get(__name__)

BATCH = 500
"""Events of others in a batch, about: where a service hears itself, half of what it reads is."""

_POLL_SECONDS = 0.5
_COMMIT_EVERY_SECONDS = 0.5
_MEASURE_EVERY_SECONDS = 5.0
_FIRST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 10.0


class Dispatcher(Generic[C]):
    """The consumer loop of one service.

    At least once becomes exactly once in effect: a sequence mark per complaint and source moves in
    the transaction of the effects, and offsets are committed after it. Not after each: at 30
    batches a second that was a third of a consumer's requests, and what is read again after a
    crash or a change of partitions is dropped by its marks.
    """

    def __init__(
        self,
        *,
        messaging: Messaging,
        bus: Bus,
        subscriptions: Subscriptions[C],
        container: C,
        member: str,
    ) -> None:
        self._messaging = messaging
        self._bus = bus
        self._subscriptions = subscriptions
        self._container = container
        self._member = member
        self._measured_at = 0.0
        self._batch = BATCH if subscriptions.own is None else 2 * BATCH
        # What begins to work before its turn needs another turn to work beside.
        self._at_most = self._batch if subscriptions.foresee is None else 2 * self._batch
        self._taken: dict[TopicPartition, int] = {}
        self._committed_at = 0.0

    async def run(self, stopping: asyncio.Event) -> None:
        """Take in events until `stopping`; a loop for the Supervisor."""
        consumer = await self._bus.consumer(
            topics=self._subscriptions.topics,
            group=self._subscriptions.group,
            member=self._member,
        )
        self._taken = {}  # what a run that failed had read is read again
        self._committed_at = asyncio.get_running_loop().time()
        told_to_stop = asyncio.ensure_future(stopping.wait())
        pace = Pace()
        try:
            while not stopping.is_set():
                records = await _poll(consumer, self._at_most, told_to_stop)
                pace.begin()
                if await self._take_in_turn(records, stopping):
                    await pace.rest(stopping)
                await self._commit_now_and_then(consumer)
                await self._measure_now_and_then(consumer)
            await self._commit(consumer)
        finally:
            told_to_stop.cancel()
            await consumer.close()

    async def _commit_now_and_then(self, consumer: Consumer) -> None:
        if asyncio.get_running_loop().time() - self._committed_at >= _COMMIT_EVERY_SECONDS:
            await self._commit(consumer)

    async def _commit(self, consumer: Consumer) -> None:
        if self._taken:
            await consumer.commit(self._taken)
            self._taken = {}
            self._committed_at = asyncio.get_running_loop().time()

    async def _take_in_turn(self, records: Sequence[LoggedRecord], stopping: asyncio.Event) -> bool:
        """Take in records batch by batch; tells whether there were some, and no more to come."""
        places = range(0, len(records), self._batch)
        batches = [records[place : place + self._batch] for place in places]
        if self._subscriptions.foresee is not None:
            for batch in batches:
                self._subscriptions.foresee(self._container, batch)
        for batch in batches:
            if not await self._take(batch, stopping):
                return False
            self._taken |= next_positions(batch)
        return 0 < len(records) < self._at_most

    async def _take(self, records: Sequence[LoggedRecord], stopping: asyncio.Event) -> bool:
        """Take in records in order; False where it was told to stop before the end.

        A transient failure is tried again here; for any other the batch is halved until the one
        event that fails stands alone, and that one's complaint is parked.
        """
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                await self._take_together(records)
                return True
            except Exception as failure:  # noqa: BLE001 - a handler may raise anything
                if not is_transient(failure):
                    return await self._take_apart(records, failure, stopping)
                self._say_retrying(failure, pause)
            await pause_for(stopping, jittered(pause))
            if stopping.is_set():
                return False
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)

    async def _take_apart(
        self, records: Sequence[LoggedRecord], failure: Exception, stopping: asyncio.Event
    ) -> bool:
        metrics.BATCH_RETRIES.labels(self._subscriptions.group).inc()
        if len(records) == 1:
            return await self._park(records[0], failure, stopping)
        middle = len(records) // 2
        first = await self._take(records[:middle], stopping)
        return first and await self._take(records[middle:], stopping)

    async def _take_together(self, records: Sequence[LoggedRecord]) -> None:
        own = self._subscriptions.own
        found = map(read_arrival, records)
        arrivals = [one for one in found if one.source != own or one.fault is not None]
        if not arrivals:
            return
        async with self._messaging.unit_of_work() as unit:
            standing = await marks.load(unit.connection, complaints_of(arrivals))
            await letters.lock_parked(unit.connection, standing.parked)
            plan = plan_batch(
                arrivals,
                marks=standing.marks,
                parked=standing.parked,
                handled=self._subscriptions.by_name,
            )
            await run_waves(plan, unit, self._subscriptions, self._container)
            await letters.store(unit, plan.letters, self._subscriptions.group)
            await marks.store(unit.connection, plan.marks, standing.marks)
        self._count(plan)

    async def _park(
        self, record: LoggedRecord, failure: Exception, stopping: asyncio.Event
    ) -> bool:
        """Park the complaint of an event whose handler fails."""
        log.error("event.failed", exc_info=failure, **_about(record))
        arrival = read_arrival(record)
        letter = Letter(arrival, LetterState.PARKED, reason_of(failure))
        pause = _FIRST_PAUSE_SECONDS
        while not stopping.is_set():
            try:
                async with self._messaging.unit_of_work() as unit:
                    standing = await marks.load(unit.connection, complaints_of([arrival]))
                    seen = standing.marks.get((str(arrival.complaint_id), str(arrival.source)), 0)
                    if arrival.sequence is not None and arrival.sequence > seen:
                        await letters.store(unit, [letter], self._subscriptions.group)
            except Exception as trouble:  # noqa: BLE001 - the letter must not be lost
                self._say_retrying(trouble, pause)
                await pause_for(stopping, jittered(pause))
                pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
            else:
                self._measured_at = 0.0
                return True
        return False

    def _say_retrying(self, failure: Exception, pause: float) -> None:
        group = self._subscriptions.group
        metrics.BATCH_RETRIES.labels(group).inc()
        log.warning("batch.retrying", group=group, reason=str(failure), pause_seconds=pause)

    def _count(self, plan: Plan) -> None:
        group = self._subscriptions.group
        for type_, count in plan.handled.items():
            metrics.HANDLED.labels(group, type_).inc(count)
        if plan.duplicates:
            metrics.DUPLICATES.labels(group).inc(plan.duplicates)
        unknown = sum(letter.state is LetterState.DEAD for letter in plan.letters)
        if unknown:
            metrics.UNKNOWN.labels(group).inc(unknown)
        if plan.letters:
            self._measured_at = 0.0

    async def _measure_now_and_then(self, consumer: Consumer) -> None:
        now = asyncio.get_running_loop().time()
        if self._measured_at and now - self._measured_at < _MEASURE_EVERY_SECONDS:
            return
        self._measured_at = now
        group = self._subscriptions.group
        metrics.LAG.labels(group).set(await consumer.lag_seconds())
        async with self._messaging.database.read() as connection:
            await letters.measure(connection, group)


async def run_waves(
    plan: Plan, unit: UnitOfWork, subscriptions: Subscriptions[C], container: C
) -> None:
    """Call the handlers, wave by wave: the k-th events of all complaints, type by type."""
    for wave in plan.waves:
        for model, events in wave.items():
            # What a handler says about a subject belongs to the trace of what it reacts to.
            unit.traces.update({e.data.subject: e.envelope.traceparent for e in events})
            await subscriptions.handlers[model](container, unit, events)


async def _poll(
    consumer: Consumer, at_most: int, told_to_stop: asyncio.Future[Literal[True]]
) -> Sequence[LoggedRecord]:
    """Wait for records, but not beyond the end; what is read then is not committed."""
    poll = asyncio.ensure_future(consumer.poll(max_records=at_most, timeout_seconds=_POLL_SECONDS))
    try:
        both: set[asyncio.Future[Any]] = {poll, told_to_stop}
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        return await poll if poll.done() else ()
    finally:
        if not poll.done():
            poll.cancel()
            await asyncio.gather(poll, return_exceptions=True)


def _about(record: LoggedRecord) -> dict[str, object]:
    arrival = read_arrival(record)
    return {
        "complaint_id": arrival.complaint_id,
        "type": arrival.type,
        "position": f"{record.topic}/{record.partition}/{record.offset}",
    }
