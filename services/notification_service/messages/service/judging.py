"""Judge leased messages before anything is asked of other services: what goes, waits, is dropped.

A batch costs one statement for preferences, one more where something might be superseded, and one
where somebody might get too much; none per message.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.notification_service.messages.domain.judging import (
    DAY,
    Manners,
    Newer,
    Person,
    Skip,
    Wait,
    Waiting,
    held_for,
    skipped_for,
)
from services.notification_service.messages.domain.results import Result
from services.notification_service.messages.domain.routing import RoutingTable
from services.notification_service.messages.domain.words import Reason, State
from services.notification_service.messages.repository import standing
from services.notification_service.messages.repository.deliveries import Leased
from services.notification_service.messages.repository.routing import route_of
from services.notification_service.messages.service.settling import Outcome, progress_of
from services.notification_service.preferences.domain.choices import NOTHING_CHOSEN, Preferences
from services.notification_service.preferences.repository.stored import of_customers
from shared.db.database import Database
from shared.events.words import Audience
from shared.web.zones import zone_for


@dataclass(slots=True)
class Judged:
    """What a batch came to; `chosen` are the customers' preferences by the id of the message."""

    going: list[Leased] = field(default_factory=list)
    skipped: list[tuple[Leased, Skip]] = field(default_factory=list)
    waiting: list[tuple[Leased, Wait]] = field(default_factory=list)
    chosen: dict[str, Preferences] = field(default_factory=dict)

    def outcomes(self, now: datetime) -> list[Outcome]:
        """Return the results of what does not go now."""
        skipped = [
            Outcome(row, Result(State.SKIPPED, progress_of(row), skip.reason), now)
            for row, skip in self.skipped
        ]
        waiting = [
            Outcome(row, Result(State.QUEUED, progress_of(row), _shown(row, wait), wait.until), now)
            for row, wait in self.waiting
        ]
        return skipped + waiting


@dataclass(frozen=True, slots=True)
class _Known:
    """What was read for a batch. `told` grows while the batch is judged."""

    chosen: Mapping[str, Preferences]
    newer: Mapping[str, Sequence[Newer]]
    told: defaultdict[str, list[datetime]]


class Judge:
    """Decides about leased messages, many at once."""

    def __init__(self, database: Database, *, routing: RoutingTable, manners: Manners) -> None:
        self._database = database
        self._routing = routing
        self._manners = manners
        replacing = [row for row in routing.rows.values() if row.supersedes]
        self._replacing = frozenset(row.kind for row in replacing)
        self._replaceable = frozenset(kind for row in replacing for kind in row.supersedes)

    async def judge(self, rows: Sequence[Leased], *, now: datetime) -> Judged:
        """Return which messages go now, which wait, and which are never sent, each with why."""
        asked = [(row, self._asked(row)) for row in rows]
        known = await self._read(asked, now)
        judged = Judged()
        for row, message in asked:
            self._decide(row, message, known, judged, now=now)
        return judged

    def _asked(self, row: Leased) -> Waiting:
        route = route_of(self._routing, row.route, row.kind)
        return Waiting(
            id=row.id,
            complaint_id=row.complaint_id,
            recipient=row.recipient,
            kind=row.kind,
            facts=row.facts,
            created_at=row.created_at,
            untouched=row.untouched,
            route=route,
            is_urgent=route.is_urgent(row.urgency),
            is_withdrawn=row.is_withdrawn,
        )

    async def _read(self, asked: Sequence[tuple[Leased, Waiting]], now: datetime) -> _Known:
        to_customers = [
            (row.customer_id, message)
            for row, message in asked
            if row.customer_id and row.audience == Audience.CUSTOMER
        ]
        customers = {customer_id for customer_id, _ in to_customers}
        limited = {
            customer_id
            for customer_id, message in to_customers
            if not (message.is_urgent or message.route.mandatory)
        }
        old = [m for _, m in asked if m.untouched and m.kind in self._replaceable]
        async with self._database.read() as connection:
            return _Known(
                await of_customers(connection, customers),
                await standing.newer(
                    connection,
                    {message.complaint_id for message in old},
                    than=min((message.id for message in old), default=""),
                    kinds=self._replacing,
                ),
                await standing.told_lately(connection, limited, since=now - DAY, now=now),
            )

    def _decide(
        self, row: Leased, message: Waiting, known: _Known, judged: Judged, *, now: datetime
    ) -> None:
        newer = known.newer.get(row.complaint_id, ())
        skip = skipped_for(message, newer, self._routing, now=now)
        if skip is not None:
            judged.skipped.append((row, skip))
            return
        chosen = known.chosen.get(row.customer_id or "", NOTHING_CHOSEN)
        # Several of one batch share the limit: what goes now and what is put off both count.
        told = known.told[row.customer_id] if row.customer_id else []
        person = Person(chosen, zone_for(chosen.timezone, row.region), told)
        held = held_for(message, person, self._manners, now=now)
        if isinstance(held, Skip):
            judged.skipped.append((row, held))
        elif held is not None:
            judged.waiting.append((row, held))
            if held.reason is Reason.RATE_LIMITED:
                told.append(held.until)
        else:
            judged.going.append(row)
            judged.chosen[row.id] = chosen
            if row.audience == Audience.CUSTOMER:
                told.append(now)


def _shown(row: Leased, wait: Wait) -> str:
    """Return the reason to show; why a channel was given up must not be lost over a night."""
    return row.reason if row.tried and row.reason else wait.reason
