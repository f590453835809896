"""Follow the case: what workflow says becomes status, next step and the customer's timeline."""

from __future__ import annotations

from collections.abc import Sequence

from services.intake_service.complaints.domain.story import MILESTONES
from services.intake_service.complaints.repository import changing
from services.intake_service.complaints.repository.changing import (
    MilestoneValues,
    ProgressValues,
)
from shared.events.base import WorkflowEvent
from shared.messaging import Incoming, UnitOfWork


async def follow_cases(
    _container: None, uow: UnitOfWork, events: Sequence[Incoming[WorkflowEvent]]
) -> None:
    """Store how the cases of these events stand, and what their customers may see of it."""
    await changing.follow_cases(uow.connection, [_progress(event) for event in events])
    passed = [_milestone(event) for event in events if event.envelope.type in MILESTONES]
    await changing.add_milestones(uow.connection, passed)


def _progress(event: Incoming[WorkflowEvent]) -> ProgressValues:
    return {
        "of_id": event.data.complaint_id,
        "status": event.data.state,
        "next_step": event.data.next_step,
        "next_due_at": event.data.next_due_at,
        "progress_at": event.envelope.time,
    }


def _milestone(event: Incoming[WorkflowEvent]) -> MilestoneValues:
    return {
        "complaint_id": event.data.complaint_id,
        "sequence": event.envelope.sequence,
        "kind": MILESTONES[event.envelope.type],
        "at": event.envelope.time,
    }
