"""Take over imported complaints, a batch at a time; those of a large import in a process beside.

What is decided of them needs no database: who is given them by load is all that they share with
others. So one code serves both processes, and a process that dies costs nothing but time (ADR 7).
"""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from services.workflow_service.cases.domain.draft import Change
from services.workflow_service.cases.domain.importing import Known, import_case
from services.workflow_service.cases.domain.rules import Rules
from services.workflow_service.cases.repository.storage import Opened, opened_of
from shared.events.complaints import ComplaintReceived
from shared.kernel.beside import Beside
from shared.messaging import Incoming, OutboxRow, outbox_row
from shared.messaging.pauses import pause_for

ROWS_BEFORE_A_PROCESS = 2_000
"""To start a process takes as long as to decide some thousands."""

_FEW = 50
"""Not worth a way through two pipes."""

_AT_A_STRETCH = 100
_FORESEEN_KEPT = 4
_IDLE_SECONDS = 5.0
_STUCK_SECONDS = 60.0


class Arrived(NamedTuple):
    """The data of a ComplaintReceived as the log has it, and the trace that it belongs to."""

    complaint_id: str
    value: bytes
    traceparent: str | None


class Grounds(NamedTuple):
    """What complaints are decided by; `load` is open cases by owner."""

    now: datetime
    rules: Rules
    load: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Order:
    """Imported complaints to be taken over; `rules` None means those of the order before."""

    arrived: Sequence[Arrived]
    now: datetime
    load: Mapping[str, int]
    rules: Rules | None


@dataclass(frozen=True, slots=True)
class TakenOver:
    """What is to be stored and said of a batch, and who was given its open cases."""

    opened: Opened
    said: Sequence[OutboxRow]
    owners: Sequence[str]


class _Foreseen(NamedTuple):
    rules: Rules
    asked: asyncio.Task[TakenOver | None]


class Importer:
    """Decides about imported complaints: here, or beside while many come.

    What is foreseen is decided while the batch before it is being stored.
    """

    def __init__(self, dialect: str) -> None:
        self._dialect = dialect
        self._beside: Beside[Order, TakenOver] | None = None
        self._told: Rules | None = None
        self._foreseen: OrderedDict[tuple[str, ...], _Foreseen] = OrderedDict()
        self._rows = 0
        self._in_hand = 0
        self._worked_at = 0.0
        self._is_closed = False

    @property
    def is_at_work(self) -> bool:
        """Whether so much is being imported that it is decided beside."""
        if self._is_closed or self._rows <= ROWS_BEFORE_A_PROCESS:
            return False
        return self._beside is None or not self._beside.is_given_up

    def foresee(self, arrived: Sequence[Arrived], grounds: Grounds) -> None:
        """Have complaints decided beside that `take_over` is likely to be asked for next.

        The load cannot know of what is decided meanwhile: it is one batch old.
        """
        if self.is_at_work and len(arrived) >= _FEW:
            asked = asyncio.create_task(self._ask_beside(arrived, grounds))
            self._foreseen[_names(arrived)] = _Foreseen(grounds.rules, asked)
            if len(self._foreseen) > _FORESEEN_KEPT:
                self._foreseen.popitem(last=False)

    async def take_over(
        self, batch: Sequence[Incoming[ComplaintReceived]], grounds: Grounds
    ) -> TakenOver:
        """Return what is to be stored and said of a batch. Stores nothing, counts up no load."""
        self._rows += len(batch)
        self._in_hand += 1
        self._note_work()
        try:
            answer = await self._decided_beside(batch, grounds)
            return answer or await self._decided_here(batch, grounds)
        finally:
            self._in_hand -= 1
            self._note_work()

    async def run(self, stopping: asyncio.Event) -> None:
        """End the process when nothing has come for a while, when it is stuck, and at the end."""
        self._is_closed = False
        try:
            while not stopping.is_set():
                await pause_for(stopping, 1.0)
                idle = asyncio.get_running_loop().time() - self._worked_at
                if idle > (_STUCK_SECONDS if self._in_hand else _IDLE_SECONDS):
                    self._rows = 0
                    await self._let_go()
        finally:
            self._is_closed = True
            await self._let_go()

    def _note_work(self) -> None:
        self._worked_at = asyncio.get_running_loop().time()

    async def _decided_beside(
        self, batch: Sequence[Incoming[ComplaintReceived]], grounds: Grounds
    ) -> TakenOver | None:
        arrived = [
            Arrived(one.data.complaint_id, one.record.value, one.envelope.traceparent)
            for one in batch
        ]
        foreseen = self._foreseen.pop(_names(arrived), None)
        # By rules that have changed since, it would be decided as nobody means it any more.
        if foreseen is not None and foreseen.rules is grounds.rules:
            answer = await foreseen.asked
            if answer is not None:
                return answer
        if self.is_at_work and len(batch) >= _FEW:
            return await self._ask_beside(arrived, grounds)
        return None

    async def _decided_here(
        self, batch: Sequence[Incoming[ComplaintReceived]], grounds: Grounds
    ) -> TakenOver:
        counted = Counter(grounds.load)
        grounds = grounds._replace(load=counted)
        parts: list[TakenOver] = []
        for place in range(0, len(batch), _AT_A_STRETCH):
            received = (
                (one.data, one.envelope.traceparent) for one in batch[place : place + _AT_A_STRETCH]
            )
            part = taken_over(received, grounds, dialect=self._dialect)
            counted.update(part.owners)
            parts.append(part)
            await asyncio.sleep(0)  # a thousand at a stretch would hold up every request
        return joined(parts)

    async def _ask_beside(self, arrived: Sequence[Arrived], grounds: Grounds) -> TakenOver | None:
        if self._beside is None:
            self._beside = Beside(taking_over_for, self._dialect, name="cases")
        if not self._beside.is_ready():
            return None
        # Orders are answered in the order in which they come here: the first one brings the rules.
        now, rules, load = grounds
        told, self._told = self._told, rules
        order = Order(arrived, now, dict(load), None if told is rules else rules)
        try:
            return await self._beside.answer(order)
        except BaseException:
            self._told = None  # perhaps it was never sent
            raise

    async def _let_go(self) -> None:
        beside, self._beside, self._told = self._beside, None, None
        if beside is not None:
            await beside.close()
        self._foreseen.clear()


def _names(arrived: Sequence[Arrived]) -> tuple[str, ...]:
    return tuple(one.complaint_id for one in arrived)


def taking_over_for(dialect: str) -> Callable[[Order], TakenOver]:
    """Return what answers orders in a process of its own, for a database of that dialect."""
    rules: Rules | None = None

    def answer(order: Order) -> TakenOver:
        nonlocal rules
        rules = order.rules or rules
        assert rules is not None, "the first order brings rules"
        received = (
            (ComplaintReceived.model_validate_json(one.value), one.traceparent)
            for one in order.arrived
        )
        return taken_over(received, Grounds(order.now, rules, order.load), dialect=dialect)

    return answer


def taken_over(
    received: Iterable[tuple[ComplaintReceived, str | None]], grounds: Grounds, *, dialect: str
) -> TakenOver:
    """Decide about imported complaints, each with its trace."""
    now, counted = grounds.now, Counter(grounds.load)
    rules = replace(grounds.rules, load=counted)
    known: Known = {}
    changes: list[Change] = []
    said: list[OutboxRow] = []
    owners: list[str] = []
    for complaint, traceparent in received:
        change = import_case(complaint, now=now, rules=rules, known=known)
        changes.append(change)
        if change.case.is_open and change.case.owner:
            # The next one of the batch goes to who has less.
            counted[change.case.owner] += 1
            owners.append(change.case.owner)
        said += [
            outbox_row(one.event, sequence=one.sequence, at=one.at, traceparent=traceparent)
            for one in change.said
        ]
    return TakenOver(opened_of(changes, now=now, dialect=dialect), said, owners)


def joined(parts: Sequence[TakenOver]) -> TakenOver:
    """Return parts of a batch as one."""
    return TakenOver(
        Opened(
            [statement for part in parts for statement in part.opened.statements],
            [point for part in parts for point in part.opened.points],
        ),
        [row for part in parts for row in part.said],
        [owner for part in parts for owner in part.owners],
    )
