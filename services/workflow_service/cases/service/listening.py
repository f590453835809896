"""Take in events, a batch at a time: load all cases at once, decide each, store all at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from services.workflow_service.cases.domain.case import Case
from services.workflow_service.cases.domain.draft import Change
from services.workflow_service.cases.domain.importing import Known, import_case
from services.workflow_service.cases.domain.opening import open_case
from services.workflow_service.cases.domain.reactions import acknowledged, amended, regraded
from services.workflow_service.cases.repository.storage import insert_opened, lock_cases, store
from services.workflow_service.cases.service.desk import Desk, publish
from shared.events.base import EventData, NotificationEvent
from shared.events.complaints import ComplaintAmended, ComplaintReceived, ComplaintRegraded
from shared.events.deliveries import NotificationSent, NotificationSkipped
from shared.events.words import Audience
from shared.kernel.errors import NotFound
from shared.messaging import Incoming, UnitOfWork

E = TypeVar("E", bound=EventData)
Decide = Callable[[Case, Incoming[E]], Change | None]

ACKNOWLEDGEMENT = "acknowledgement"
"""The kind of notification's message of receipt."""


class CaseMissing(NotFound):
    """An event about a complaint whose case was never opened."""

    code = "case-missing"
    title = "There is no case for this complaint"


async def open_cases(
    desk: Desk, uow: UnitOfWork, batch: Sequence[Incoming[ComplaintReceived]]
) -> None:
    """Open or import a case for each complaint."""
    now, rules, known = uow.now, desk.rules, Known()
    changes = [
        import_case(incoming.data, now=now, rules=rules, known=known)
        if incoming.data.imported
        else open_case(incoming.data, now=now, rules=rules)
        for incoming in batch
    ]
    await insert_opened(uow.connection, changes, now=uow.now)
    publish(uow, changes)


async def amend_cases(
    desk: Desk, uow: UnitOfWork, batch: Sequence[Incoming[ComplaintAmended]]
) -> None:
    """Note additions; one by the customer ends our waiting."""

    def decide(case: Case, incoming: Incoming[ComplaintAmended]) -> Change | None:
        at = incoming.envelope.time
        return amended(case, incoming.data, at=at, now=uow.now, rules=desk.rules)

    await _change(uow, batch, decide)


async def regrade_cases(
    desk: Desk, uow: UnitOfWork, batch: Sequence[Incoming[ComplaintRegraded]]
) -> None:
    """Give cases the targets of their new grade."""

    def decide(case: Case, incoming: Incoming[ComplaintRegraded]) -> Change | None:
        at = incoming.envelope.time
        return regraded(case, incoming.data, at=at, now=uow.now, rules=desk.rules)

    await _change(uow, batch, decide)


async def note_sent(
    desk: Desk, uow: UnitOfWork, batch: Sequence[Incoming[NotificationSent]]
) -> None:
    """End the acknowledge clock of complaints whose receipt went out."""
    await _acknowledge(desk, uow, batch, sent=True)


async def note_skipped(
    desk: Desk, uow: UnitOfWork, batch: Sequence[Incoming[NotificationSkipped]]
) -> None:
    """Cancel the acknowledge clock of complaints whose receipt could not be sent to anybody."""
    await _acknowledge(desk, uow, batch, sent=False)


N = TypeVar("N", bound=NotificationEvent)


async def _acknowledge(
    desk: Desk, uow: UnitOfWork, batch: Sequence[Incoming[N]], *, sent: bool
) -> None:
    receipts = [incoming for incoming in batch if _is_receipt(incoming.data)]

    def decide(case: Case, incoming: Incoming[N]) -> Change | None:
        at = incoming.envelope.time
        return acknowledged(case, at=at, sent=sent, now=uow.now, rules=desk.rules)

    await _change(uow, receipts, decide)


def _is_receipt(data: NotificationEvent) -> bool:
    return data.kind == ACKNOWLEDGEMENT and data.audience == Audience.CUSTOMER


async def _change(uow: UnitOfWork, batch: Sequence[Incoming[E]], decide: Decide[E]) -> None:
    if not batch:
        return
    found = await lock_cases(uow.connection, [incoming.data.complaint_id for incoming in batch])
    changes = []
    for incoming in batch:
        case = found.get(incoming.data.complaint_id)
        if case is None:
            raise CaseMissing(f"no case was opened for {incoming.data.complaint_id}")
        change = decide(case, incoming)
        if change is not None:
            changes.append(change)
    await store(uow.connection, changes, now=uow.now)
    publish(uow, changes)
