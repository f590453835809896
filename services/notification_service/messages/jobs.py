"""The sender: lease queued messages, prepare them, hand them over, write down what came of it.

Three loops: `send` leases and hands over, `settle` writes whatever results have gathered while the
previous write ran, `keep` extends the leases of what is under way and takes over what a crashed
sender left (architecture.md rule 8). A slow gateway therefore holds up nobody else's result.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from operator import itemgetter

from prometheus_client import Counter, Histogram
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notification_service.gateways.domain.port import (
    GatewayError,
    NotAccepted,
    Outgoing,
    Refused,
)
from services.notification_service.gateways.service import Gateways
from services.notification_service.messages.domain import results
from services.notification_service.messages.domain.fingerprint import fingerprint
from services.notification_service.messages.domain.lanes import Lanes
from services.notification_service.messages.domain.results import Progress, Result
from services.notification_service.messages.domain.retry import pause_after
from services.notification_service.messages.domain.words import Reason, State, ended_by
from services.notification_service.messages.repository import deliveries, intents
from services.notification_service.messages.repository.deliveries import Crashed, Leased, Recovered
from services.notification_service.messages.service.bundling import Digests, Doubles
from services.notification_service.messages.service.judging import Judge
from services.notification_service.messages.service.preparing import (
    Hopeless,
    Prepared,
    Preparer,
    Ready,
)
from services.notification_service.messages.service.sealing import sealed
from services.notification_service.messages.service.settling import (
    HandedOver,
    Outcome,
    progress_of,
    settle,
)
from services.notification_service.recipients.domain.masking import masked
from shared.events.words import MessageChannel
from shared.kernel import logging, trace
from shared.kernel.errors import Unavailable
from shared.kernel.ids import new_id
from shared.kernel.vault import Vault
from shared.messaging import Messaging
from shared.messaging.pauses import Pace

log = logging.get(__name__)

_BATCH = 100
_UNDER_WAY = 400
_AT_ONCE = 50
_STALLED_PAUSE = timedelta(seconds=30)
_LEASE = timedelta(seconds=120)
_KEEP_SECONDS = 20.0
_IDLE_SECONDS = 0.5
_OWNER_AWAY = timedelta(seconds=2)
_DEFECT_PAUSE = timedelta(minutes=5)
_LONGEST_NAME = 128

_SETTLED = Counter("redress_messages_total", "Messages by what a try came to", ["channel", "state"])
_NOT_TAKEN = Counter(
    "redress_gateway_failures_total",
    "Hand-overs that a gateway did not take for a reason that is not the message's",
    ["channel"],
)
_HANDED_OVER = Histogram(
    "redress_message_handover_seconds",
    "From the intent to the gateway's acceptance at the first try",
    buckets=(0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 60, 600),
)


@dataclass(frozen=True, slots=True)
class SenderTools:
    """What the sender works with."""

    messaging: Messaging
    judge: Judge
    preparer: Preparer
    gateways: Gateways
    vault: Vault
    replica: str
    doubles: Doubles
    digests: Digests
    longest_pause: timedelta


class Sender:
    """Sends what is queued. `wake` tells it that intents were committed in this process."""

    def __init__(self, tools: SenderTools) -> None:
        self._tools = tools
        self._messaging = tools.messaging
        self._clock = tools.messaging.clock
        self._wanted = asyncio.Event()
        self._next: list[Leased] = []
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._outcomes: list[Outcome] = []
        self._settling: frozenset[str] = frozenset()
        self._gathered = asyncio.Event()
        self._sent_all = asyncio.Event()
        self._pace = Pace()
        self._at_once = {channel: asyncio.Semaphore(_AT_ONCE) for channel in MessageChannel}
        self._lanes = Lanes()

    def wake(self) -> None:
        """Look for queued messages at once."""
        self._wanted.set()

    async def send(self, stopping: asyncio.Event) -> None:
        """Send until told to stop; then wait for what is under way."""
        self._sent_all.clear()
        try:
            await self.take_over(everything=True)
            while self._next or not stopping.is_set():
                self._pace.begin()
                leased = await self.send_batch(stopping)
                if not leased:
                    await self._wait(stopping)
                elif leased < _BATCH and not self._next:
                    await self._pace.rest(stopping)
        finally:
            await self.drain()
            self._sent_all.set()
            self._gathered.set()

    async def settle(self, stopping: asyncio.Event) -> None:
        """Write results until sending has ended and all are written."""
        pace = Pace()
        while not (stopping.is_set() and self._sent_all.is_set() and not self._outcomes):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._gathered.wait(), _IDLE_SECONDS)
            pace.begin()
            await self.settle_gathered()
            await pace.rest(stopping)

    async def keep(self, stopping: asyncio.Event) -> None:
        """Extend leases and take over what others left, every now and then."""
        while not stopping.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), _KEEP_SECONDS)
            await self._extend()
            await self.take_over(everything=False)

    async def send_batch(self, stopping: asyncio.Event | None = None) -> int:
        """Lease, prepare and begin to hand over one batch; returns how many there were.

        Until `stopping`, a batch that takes long leases the next one while it marks its own: on
        SQLite everybody waits in turn to write, and half of a message's way was waiting so.
        """
        rows, self._next = self._next, []
        rows = rows or await self._lease(self._room())
        if rows:
            try:
                await self._work_off(rows, stopping)
            except Unavailable:
                raise
            except Exception:  # the outermost edge: one message must not hold up all others
                log.exception("message.batch_failed", count=len(rows))
                await self._one_by_one(rows)
        return len(rows)

    async def settle_gathered(self) -> None:
        """Write the results that have gathered; they are kept where the database is away."""
        self._gathered.clear()
        outcomes, self._outcomes = self._outcomes, []
        if not outcomes:
            return
        self._settling = frozenset(one.row.id for one in outcomes)
        try:
            await settle(self._messaging, outcomes, by=self._tools.replica)
        except BaseException:
            self._outcomes = outcomes + self._outcomes
            raise
        finally:
            self._settling = frozenset()
        _count(outcomes)
        if any(one.stand_ins for one in outcomes):
            self.wake()

    async def drain(self) -> None:
        """Wait until every message under way has its result."""
        while self._under_way:
            await asyncio.wait(self._under_way.values())

    def _room(self, beside: int = 0) -> int:
        """Return how many may be leased, `beside` so many that are begun now; 0 to let them lie."""
        if self._lanes.is_slow(now=_seconds(), beside=beside):
            return 0
        return min(_BATCH, _UNDER_WAY - len(self._under_way) - len(self._outcomes) - beside)

    async def _lease(self, limit: int) -> list[Leased]:
        if limit <= 0:
            return []
        async with self._messaging.database.write() as connection:
            return await self._lease_on(connection, limit)

    async def _lease_on(self, connection: AsyncConnection, limit: int) -> list[Leased]:
        now = self._clock.now()
        me, until = self._tools.replica, now + _LEASE
        rows = await deliveries.lease(connection, by=me, now=now, until=until, limit=limit)
        return rows + await deliveries.lease_gathered(
            connection, by=me, now=now, until=until, limit=_BATCH
        )

    async def _work_off(
        self, rows: Sequence[Leased], stopping: asyncio.Event | None = None
    ) -> None:
        now = self._clock.now()
        judged = await self._tools.judge.judge(rows, now=now)
        self._gather(*judged.outcomes(now))
        prepared = await self._tools.preparer.prepare(judged.going, judged.chosen)
        kept, doubles = await self._tools.doubles.leave_out(prepared.ready, now=now)
        prepared.hopeless.extend(doubles)
        await self._put_aside(prepared)
        await self._begin(self._whose_turn(self._tools.digests.bundle(kept)), stopping)

    async def _one_by_one(self, rows: Sequence[Leased]) -> None:
        """Find the message that its batch failed by and put it off; the others go."""
        in_hand = self._in_hand()
        for row in rows:
            if row.id in in_hand:
                continue
            try:
                await self._work_off([row])
            except Unavailable:
                raise
            except Exception as failure:  # the outermost edge: a defect of ours
                log.exception("message.defect", message=row.id, kind=row.kind)
                # Not given up: what is mended by the next release must find it waiting.
                now, reason = self._clock.now(), f"{Reason.DEFECT}: {_name(failure)}"
                again = Result(State.QUEUED, progress_of(row), reason, now + _DEFECT_PAUSE)
                self._gather(Outcome(row, again, now))

    async def _put_aside(self, prepared: Prepared) -> None:
        """Gather the results of what is not sent now, and make one intent per member of a group."""
        now = self._clock.now()
        self._gather(*(_given_up(one, now) for one in prepared.hopeless))
        again = now + _OWNER_AWAY
        self._gather(*(Outcome(row, _later(row, again), now) for row in prepared.later))
        if prepared.spread:
            told: list[Leased] = []
            async with self._messaging.unit_of_work() as work:
                # In the order of ids, as everybody locks what messages are about.
                for row, people in sorted(prepared.spread, key=lambda one: one[0].complaint_id):
                    if not await intents.spread(
                        work.connection, row.id, row.recipient, people, new_id
                    ):
                        told.append(row)
            self._gather(
                *(_given_up(Hopeless(row, Reason.DUPLICATE, failed=False), now) for row in told)
            )
            self.wake()

    def _whose_turn(self, ready: Sequence[Ready]) -> list[Ready]:
        """Return those that their gateway takes now; the others stay queued, untried."""
        now, allowed = self._clock.now(), []
        room = self._lanes.room()
        for one in ready:
            limit = self._tools.gateways.limits.get(one.channel)
            if room[one.channel] <= 0:
                turn = now + _STALLED_PAUSE * (1 + _jitter())
            else:
                turn = limit.turn(one.row.id, now=now) if limit is not None else now
            if turn <= now:
                room[one.channel] -= 1
                allowed.append(one)
            else:
                rows = (each.row for each in one.all)
                self._gather(*(Outcome(row, _later(row, turn), now) for row in rows))
        return allowed

    async def _begin(self, ready: Sequence[Ready], stopping: asyncio.Event | None) -> None:
        """Write that these are being sent, and only then hand them over; lease the next beside."""
        if not ready:
            return
        # In the order of ids, as every transaction that locks several messages does.
        rows = [row for one in ready for row in sealed(self._tools.vault, one)]
        rows.sort(key=itemgetter("of"))
        replica, until = self._tools.replica, self._clock.now() + _LEASE
        goes_on = stopping is not None and not stopping.is_set() and self._pace.is_overdue()
        room = self._room(len(rows)) if goes_on else 0
        async with self._messaging.database.write() as connection:
            held = await deliveries.mark_sending(connection, rows, by=replica, until=until)
            leased = await self._lease_on(connection, room) if room > 0 else []
        self._next += leased
        for one in ready:
            ids = [each.row.id for each in one.all]
            if held.issuperset(ids):
                self._lanes.began(one.channel, now=_seconds())
                task = asyncio.create_task(self._hand_over(one))
                self._under_way |= dict.fromkeys(ids, task)
            elif held.intersection(ids):
                # Part of a digest went to another replica meanwhile: this one was not sent.
                lost = [each for each in one.all if each.row.id in held]
                self._gather(*self._results(lost, NotAccepted("lease lost"), one.channel))

    async def _hand_over(self, ready: Ready) -> None:
        gateway = self._tools.gateways.by_channel[ready.channel]
        failure: Exception | None = None
        reference: str | None = None
        try:
            async with self._at_once[ready.channel]:
                with trace.within(ready.row.traceparent):
                    reference = await gateway.send(_outgoing(ready))
        except Exception as raised:  # the outermost edge: a defect of a gateway's adapter
            if not isinstance(raised, GatewayError):
                log.exception("message.defect", message=ready.reference, channel=ready.channel)
            if isinstance(raised, NotAccepted):
                _NOT_TAKEN.labels(ready.channel).inc()
                log.warning("gateway.failed", channel=ready.channel, reason=raised.reason)
            failure = raised
        finally:
            self._lanes.ended(ready.channel, now=_seconds())
            for one in ready.all:
                self._under_way.pop(one.row.id, None)
        self._gather(*self._results(ready.all, failure, ready.channel, reference))

    def _results(
        self,
        sent: Sequence[Ready],
        failure: Exception | None,
        channel: MessageChannel,
        reference: str | None = None,
    ) -> list[Outcome]:
        """Return what one hand-over came to for each message in it: the same, at the same time."""
        now, jitter = self._clock.now(), _jitter()
        repeatable = self._tools.gateways.by_channel[channel].repeatable
        outcomes = []
        for one in sent:
            progress = Progress(channel, one.row.tries + 1, tuple(one.row.tried), one.row.doubtful)
            pause = pause_after(progress.tries, jitter=jitter, longest=self._tools.longest_pause)
            if failure is None:
                result = results.accepted(progress)
            elif isinstance(failure, Refused):
                result = results.refused(progress, failure.reason, now=now)
            elif isinstance(failure, NotAccepted):
                result = results.not_accepted(progress, failure.reason, now=now, pause=pause)
            else:
                known = isinstance(failure, GatewayError)
                reason = failure.reason if isinstance(failure, GatewayError) else _name(failure)
                result = results.uncertain(
                    progress, reason, repeatable=known and repeatable, now=now, pause=pause
                )
            # The words of a digest are those of its first message, whichever of its own this is.
            told = replace(one, rendered=sent[0].rendered)
            handed = self._handed(told, reference, now) if failure is None else None
            outcomes.append(Outcome(one.row, result, now, handed))
        return outcomes

    def _handed(self, ready: Ready, reference: str | None, now: datetime) -> HandedOver:
        gateways, channel = self._tools.gateways, ready.channel
        awaited = gateways.receipts_after.get(channel)
        return HandedOver(
            gateway=gateways.names.get(channel, channel),
            reference=reference if _is_name(reference) else ready.reference,
            address_masked=masked(ready.address),
            digest=fingerprint(ready.rendered.text, ready.rendered.subject),
            template=ready.rendered.template,
            receipt_due_at=None if awaited is None else now + awaited,
        )

    def _gather(self, *outcomes: Outcome) -> None:
        if outcomes:
            self._outcomes.extend(outcomes)
            self._gathered.set()

    async def _wait(self, stopping: asyncio.Event) -> None:
        """Sleep until woken, at most half a second: retries come due, replicas plan intents."""
        waits = [asyncio.create_task(self._wanted.wait()), asyncio.create_task(stopping.wait())]
        await asyncio.wait(waits, timeout=_IDLE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        self._wanted.clear()

    def _in_hand(self) -> set[str]:
        return {
            *(one.id for one in self._next),
            *self._under_way,
            *(one.row.id for one in self._outcomes),
            *self._settling,
        }

    async def _extend(self) -> None:
        ids = self._in_hand()
        if ids:
            async with self._messaging.database.write() as connection:
                until = self._clock.now() + _LEASE
                await deliveries.extend(connection, ids, by=self._tools.replica, until=until)

    async def take_over(self, *, everything: bool) -> None:
        """Decide what becomes of messages whose sender went away while sending.

        `everything` is for the start of this replica: what stands under its name and is not in
        hand is from before a crash, however long its lease still is.
        """
        now, me, known = self._clock.now(), self._tools.replica, self._in_hand()
        async with self._messaging.database.write() as connection:
            if everything:
                await deliveries.release(connection, by=me, known=known)
            left = await deliveries.crashed(
                connection, by=me, everything=everything, now=now, known=known
            )
            await deliveries.recover(connection, [self._recovered(one) for one in left])
        for one in left:
            log.warning("message.crashed", message=one.id, channel=one.channel)

    def _recovered(self, left: Crashed) -> Recovered:
        gateway = self._tools.gateways.by_channel[MessageChannel(left.channel)]
        return {
            "of": left.id,
            "to_state": State.QUEUED if gateway.repeatable else State.UNKNOWN,
            "to_reason": Reason.CRASHED,
            # Of the gateway we know nothing bad: service restarts must not use its tries up.
            "to_tries": max(0, left.tries - 1),
            "to_doubtful": True,
            "to_next_attempt_at": self._clock.now(),
        }


def _outgoing(ready: Ready) -> Outgoing:
    return Outgoing(
        reference=ready.reference,
        channel=ready.channel,
        address=ready.address,
        text=ready.rendered.text,
        subject=ready.rendered.subject,
        html=ready.rendered.html,
        number=ready.row.number,
        kind=ready.row.kind,
        occurrence=ready.row.occurrence,
        created_at=ready.row.created_at,
        locale=ready.locale,
        values=ready.values,
        unsubscribe_url=ready.unsubscribe_url,
    )


def _is_name(reference: str | None) -> bool:
    """Tell whether what a gateway calls a message can be kept and be found again."""
    return reference is None or (len(reference) <= _LONGEST_NAME and reference.isprintable())


def _name(failure: Exception) -> str:
    return type(failure).__name__


def _given_up(hopeless: Hopeless, now: datetime) -> Outcome:
    row, state, progress = hopeless.row, State.SKIPPED, progress_of(hopeless.row)
    if hopeless.failed:
        last = row.channel or (row.tried[-1] if row.tried else None)
        progress = replace(progress, channel=MessageChannel(last) if last else None)
        state = ended_by(hopeless.reason)
    result = Result(state, progress, hopeless.reason)
    return Outcome(row, result, now, stand_ins=hopeless.stand_ins)


def _later(row: Leased, again: datetime) -> Result:
    """Wait for the service that knows contacts or words: no try was made, so none is counted."""
    return Result(State.QUEUED, progress_of(row), row.reason, again)


def _count(outcomes: Sequence[Outcome]) -> None:
    for one in outcomes:
        state, channel = one.result.state, one.result.progress.channel
        _SETTLED.labels(channel or "none", state).inc()
        if state is State.SENT and one.result.progress.tries == 1:
            _HANDED_OVER.observe((one.at - one.row.created_at).total_seconds())


def _seconds() -> float:
    return asyncio.get_running_loop().time()


def _jitter() -> float:
    return random.random()  # noqa: S311 - spreads retries, hides nothing
