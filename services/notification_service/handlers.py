"""What notification reacts to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.notification_service.messages.domain.routing import TELLABLE
from services.notification_service.messages.service.planning import Planner
from shared.events import topics
from shared.events.base import EventData
from shared.events.complaints import ComplaintReceived, ComplaintRegraded
from shared.messaging import Handler, Incoming, Subscriptions, UnitOfWork


async def remember(
    planner: Planner, work: UnitOfWork, batch: Sequence[Incoming[ComplaintReceived]]
) -> None:
    """Keep language and urgency of new complaints."""
    await planner.remember(work, [incoming.data for incoming in batch])


async def regrade(
    planner: Planner, work: UnitOfWork, batch: Sequence[Incoming[ComplaintRegraded]]
) -> None:
    """Keep how complaints are graded now."""
    await planner.regrade(work, [incoming.data for incoming in batch])


async def tell(planner: Planner, work: UnitOfWork, batch: Sequence[Incoming[EventData]]) -> None:
    """Plan what customer and staff are told about facts of cases."""
    await planner.plan(work, [incoming.data for incoming in batch])


# CaseImported stands nowhere here: an import tells nobody anything. Which message each of the
# others makes is one table: `messages/routing.yaml`.
_HANDLERS: Mapping[type[EventData], Handler[Planner, Any]] = {
    ComplaintReceived: remember,
    ComplaintRegraded: regrade,
    **dict.fromkeys(TELLABLE.values(), tell),
}

SUBSCRIPTIONS: Subscriptions[Planner] = Subscriptions(
    topics=(topics.COMPLAINTS,), group="redress-notification", handlers=_HANDLERS
)
