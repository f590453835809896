"""What notification reacts to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.notification_service.messages.domain.routing import TELLABLE
from services.notification_service.messages.service.planning import Planner
from services.notification_service.surveys.service import SurveyBook
from shared.events import topics
from shared.events.base import EventData
from shared.events.cases import FollowUpDue
from shared.events.complaints import ComplaintReceived, ComplaintRegraded
from shared.messaging import Handler, Incoming, Subscriptions, UnitOfWork


@dataclass(frozen=True, slots=True)
class Listener:
    """What facts are handed to."""

    planner: Planner
    surveys: SurveyBook


async def remember(
    listener: Listener, work: UnitOfWork, batch: Sequence[Incoming[ComplaintReceived]]
) -> None:
    """Keep language and urgency of new complaints."""
    await listener.planner.remember(work, [incoming.data for incoming in batch])


async def regrade(
    listener: Listener, work: UnitOfWork, batch: Sequence[Incoming[ComplaintRegraded]]
) -> None:
    """Keep how complaints are graded now."""
    await listener.planner.regrade(work, [incoming.data for incoming in batch])


async def tell(listener: Listener, work: UnitOfWork, batch: Sequence[Incoming[EventData]]) -> None:
    """Plan what customer and staff are told about facts of cases, and staff about signals."""
    await listener.planner.plan(work, [incoming.data for incoming in batch])


async def ask(listener: Listener, work: UnitOfWork, batch: Sequence[Incoming[FollowUpDue]]) -> None:
    """Plan the survey's message, and let the survey be answered."""
    events = [incoming.data for incoming in batch]
    await listener.planner.plan(work, events)
    await listener.surveys.open(work, events)


# CaseImported stands nowhere here: an import tells nobody anything. Which message each of the
# others makes is one table: `messages/routing.yaml`.
_HANDLERS: Mapping[type[EventData], Handler[Listener, Any]] = {
    ComplaintReceived: remember,
    ComplaintRegraded: regrade,
    **dict.fromkeys(TELLABLE.values(), tell),
    FollowUpDue: ask,
}

SUBSCRIPTIONS: Subscriptions[Listener] = Subscriptions(
    topics=(topics.COMPLAINTS, topics.SIGNALS), group="redress-notification", handlers=_HANDLERS
)
