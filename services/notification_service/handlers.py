"""What notification reacts to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.notification_service.messages.domain.intents import TOLD
from services.notification_service.messages.service.planning import Planner
from shared.events import topics
from shared.events.base import EventData
from shared.events.complaints import ComplaintReceived
from shared.messaging import Handler, Incoming, Subscriptions, UnitOfWork


async def remember(
    planner: Planner, work: UnitOfWork, batch: Sequence[Incoming[ComplaintReceived]]
) -> None:
    """Keep language and urgency of new complaints."""
    await planner.remember(work, [incoming.data for incoming in batch])


async def tell(planner: Planner, work: UnitOfWork, batch: Sequence[Incoming[EventData]]) -> None:
    """Plan what customer and staff are told about facts of cases."""
    await planner.plan(work, [incoming.data for incoming in batch])


# CaseImported stands nowhere here: an import tells nobody anything. Which message each of the
# others makes is one table: `messages/domain/intents.py`.
_HANDLERS: Mapping[type[EventData], Handler[Planner, Any]] = {
    ComplaintReceived: remember,
    **dict.fromkeys(TOLD, tell),
}

SUBSCRIPTIONS: Subscriptions[Planner] = Subscriptions(
    topics=(topics.COMPLAINTS,), group="redress-notification", handlers=_HANDLERS
)
