"""Say what became of messages: events with dense sequences per complaint."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.notification_service.messages.domain.words import About
from services.notification_service.messages.repository import deliveries as repository
from shared.events.base import NotificationEvent
from shared.kernel import trace
from shared.messaging import UnitOfWork


class Spoken(Protocol):
    """The message that an event is about."""

    @property
    def id(self) -> str: ...
    @property
    def complaint_id(self) -> str: ...
    @property
    def about(self) -> str: ...
    @property
    def number(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def occurrence(self) -> int: ...
    @property
    def audience(self) -> str: ...
    @property
    def traceparent(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Saying:
    """One event to be said."""

    model: type[NotificationEvent]
    about: Spoken
    channel: str | None
    reason: str | None
    at: datetime


async def say(work: UnitOfWork, sayings: Sequence[Saying]) -> None:
    """Emit events in their order; locks the complaints, so that their sequences stay dense.

    Of messages about signals nothing is said: the topic is keyed by complaint, and who follows it
    (workflow, a CRM) looks up each as one. What became of them stands in `/v1/notifications`.
    An event belongs to the trace of the request that it is said in, such as an operator's, else to
    that of the fact that the message tells of.
    """
    sayings = [one for one in sayings if one.about.about == About.COMPLAINT]
    counts = Counter(one.about.complaint_id for one in sayings)
    if not counts:
        return
    last = await repository.take_sequences(work.connection, counts)
    asked_in = trace.current.get()
    for one in sayings:
        last[one.about.complaint_id] += 1
        event = one.model(
            complaint_id=one.about.complaint_id,
            number=one.about.number,
            notification_id=one.about.id,
            kind=one.about.kind,
            occurrence=one.about.occurrence,
            audience=one.about.audience,
            channel=one.channel or "none",
            reason=one.reason,
        )
        work.emit(
            event,
            sequence=last[one.about.complaint_id],
            at=one.at,
            traceparent=asked_in or one.about.traceparent,
        )
