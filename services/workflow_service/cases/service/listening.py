"""Take in events, a batch at a time: load all cases at once, decide each, store all at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TypeVar

from services.workflow_service.cases.domain.case import Case
from services.workflow_service.cases.domain.draft import Change
from services.workflow_service.cases.domain.reactions import (
    acknowledged,
    amended,
    regraded,
    repeat_regraded,
    told,
)
from services.workflow_service.cases.domain.satisfaction import (
    NO_ADDRESS,
    NO_CONSENT,
    survey_not_sent,
    surveyed,
)
from services.workflow_service.cases.domain.segments import (
    LOOKED_BACK,
    OUTSIDE,
    Past,
    segment_of,
)
from services.workflow_service.cases.repository.merging import going_on
from services.workflow_service.cases.repository.reading import pasts_of
from services.workflow_service.cases.repository.storage import (
    insert_opened,
    lock_cases,
    opened_of,
    store,
)
from services.workflow_service.cases.service.desk import Desk, publish
from services.workflow_service.cases.service.merging import matters_of
from services.workflow_service.cases.service.taking_over import Arrived, Grounds
from shared.bus.port import LoggedRecord
from shared.events.base import ComplaintEvent, NotificationEvent
from shared.events.complaints import ComplaintAmended, ComplaintReceived, ComplaintRegraded
from shared.events.deliveries import NotificationFailed, NotificationSent, NotificationSkipped
from shared.events.envelope import BrokenEnvelope
from shared.events.registry import BrokenData, UnknownEvent
from shared.events.surveys import SurveyAnswered
from shared.events.words import Audience, Segment
from shared.kernel.errors import NotFound
from shared.messaging import Incoming, UnitOfWork

E = TypeVar("E", bound=ComplaintEvent)
Decide = Callable[[Case, Incoming[E]], Change | None]

ACKNOWLEDGEMENT, SURVEY = "acknowledgement", "survey"
"""The kinds of notification's message of receipt, and of that which asks for the score."""


class CaseMissing(NotFound):
    """Something was said of a complaint whose case was never opened."""

    code = "case-missing"
    title = "There is no case for this complaint"


def foresee(desk: Desk, records: Sequence[LoggedRecord]) -> None:
    """Have a large import's cases decided before the turn of their batch comes."""
    if not desk.importer.is_at_work:
        return
    arrived = [
        Arrived(said.complaint_id, record.value, record.envelope.traceparent)
        for record in records
        if (said := _received(record)) is not None and said.imported
    ]
    desk.importer.foresee(arrived, Grounds(desk.clock.now(), desk.rules, desk.loads.last_known))


def _received(record: LoggedRecord) -> ComplaintReceived | None:
    try:
        envelope = record.envelope
        if envelope.type != ComplaintReceived.__name__:
            return None
        said = record.data_under(envelope)
    except (BrokenEnvelope, BrokenData, UnknownEvent):
        return None
    return said if isinstance(said, ComplaintReceived) else None


async def open_cases(
    desk: Desk, uow: UnitOfWork, batch: Sequence[Incoming[ComplaintReceived]]
) -> None:
    """Open or import a case for each complaint, or merge it into the one of the same matter."""
    imported = [incoming for incoming in batch if incoming.data.imported]
    if imported:
        await _import_cases(desk, uow, imported)
    received = [incoming.data for incoming in batch if not incoming.data.imported]
    if received:
        await _open_cases(desk, uow, received)


async def _import_cases(
    desk: Desk, uow: UnitOfWork, batch: Sequence[Incoming[ComplaintReceived]]
) -> None:
    load = await desk.load(uow)
    taken_over = await desk.importer.take_over(batch, Grounds(uow.now, desk.rules, load))
    load.update(taken_over.owners)
    await insert_opened(uow.connection, taken_over.opened)
    for row in taken_over.said:
        uow.emit_row(row)


async def _open_cases(desk: Desk, uow: UnitOfWork, batch: Sequence[ComplaintReceived]) -> None:
    segments = await _segments(uow, batch)
    matters, load = await matters_of(desk, uow, batch)
    for said in batch:
        matters.take(said, segments[said.complaint_id])
        # The next one of the batch goes to who has less.
        load.update(_working(new.case) for new in matters.opened[-1:])
    dialect = uow.connection.dialect.name
    await insert_opened(uow.connection, opened_of(matters.opened, now=uow.now, dialect=dialect))
    await store(uow.connection, matters.changed, now=uow.now)
    publish(uow, matters.opened)
    publish(uow, matters.changed)


def _working(case: Case) -> str:
    """Return who has work with a case; nobody is counted under an empty name."""
    return case.owner if case.is_open and case.owner else ""


async def _segments(uow: UnitOfWork, batch: Sequence[ComplaintReceived]) -> dict[str, Segment]:
    """Return each complaint's segment by its customer's earlier ones, those of the batch too."""
    customers = {said.customer_id for said in batch}
    pasts = await pasts_of(uow.connection, customers, since=uow.now - LOOKED_BACK)
    segments = {}
    for said in batch:
        past = pasts.get(said.customer_id, Past())
        segments[said.complaint_id] = segment_of(past)
        escalated = past.escalated or said.channel in OUTSIDE
        pasts[said.customer_id] = Past(past.complaints + 1, escalated)
    return segments


async def amend_cases(
    desk: Desk, uow: UnitOfWork, batch: Sequence[Incoming[ComplaintAmended]]
) -> None:
    """Note additions, also where the complaint's case goes on; the customer's end our waiting."""

    def decide(case: Case, incoming: Incoming[ComplaintAmended]) -> Change | None:
        at = incoming.envelope.time
        return amended(case, incoming.data, at=at, now=uow.now, rules=desk.rules)

    goes_on_in = await going_on(uow.connection, {one.data.complaint_id for one in batch})
    await _change(desk, uow, batch, decide, goes_on_in)


async def regrade_cases(
    desk: Desk, uow: UnitOfWork, batch: Sequence[Incoming[ComplaintRegraded]]
) -> None:
    """Give cases the targets of their new grade; an emergency is one also where it was added."""

    def decide(case: Case, incoming: Incoming[ComplaintRegraded]) -> Change | None:
        react = regraded if incoming.data.complaint_id == case.id else repeat_regraded
        return react(case, incoming.data, at=incoming.envelope.time, now=uow.now, rules=desk.rules)

    goes_on_in = await going_on(uow.connection, {one.data.complaint_id for one in batch})
    await _change(desk, uow, batch, decide, goes_on_in)


async def note_sent(
    desk: Desk, uow: UnitOfWork, batch: Sequence[Incoming[NotificationSent]]
) -> None:
    """End the acknowledge clock where the receipt went out; other messages are news of ours."""
    await _acknowledge(desk, uow, batch, sent=True)
    news = [i for i in batch if not _is_receipt(i.data) and i.data.audience == Audience.CUSTOMER]

    def decide(case: Case, incoming: Incoming[NotificationSent]) -> Change | None:
        at = incoming.envelope.time
        return told(case, incoming.data.kind, at=at, now=uow.now, rules=desk.rules)

    await _change(desk, uow, news, decide)


async def note_skipped(
    desk: Desk, uow: UnitOfWork, batch: Sequence[Incoming[NotificationSkipped]]
) -> None:
    """Cancel the acknowledge clock whose receipt went to nobody; call who gets no survey."""
    await _acknowledge(desk, uow, batch, sent=False)
    surveys = [i for i in batch if _is_survey(i.data)]
    # Not sent as something newer was, or as surveys are off: the follow-up's own time comes.
    told = [i for i in surveys if i.data.reason in {NO_ADDRESS, NO_CONSENT}]
    await _call_back(desk, uow, told)


async def note_failed(
    desk: Desk, uow: UnitOfWork, batch: Sequence[Incoming[NotificationFailed]]
) -> None:
    """Have customers called whom a survey did not reach."""
    await _call_back(desk, uow, [i for i in batch if _is_survey(i.data)])


async def note_answers(
    desk: Desk, uow: UnitOfWork, batch: Sequence[Incoming[SurveyAnswered]]
) -> None:
    """Record what customers said in surveys; a low score opens the case again."""
    rules, _load = await desk.rules_with_load(uow)

    def decide(case: Case, incoming: Incoming[SurveyAnswered]) -> Change | None:
        at = incoming.envelope.time
        return surveyed(case, incoming.data, at=at, now=uow.now, rules=rules)

    await _change(desk, uow, batch, decide)


N = TypeVar("N", bound=NotificationEvent)


async def _acknowledge(
    desk: Desk, uow: UnitOfWork, batch: Sequence[Incoming[N]], *, sent: bool
) -> None:
    receipts = [incoming for incoming in batch if _is_receipt(incoming.data)]

    def decide(case: Case, incoming: Incoming[N]) -> Change | None:
        at = incoming.envelope.time
        return acknowledged(case, at=at, sent=sent, now=uow.now, rules=desk.rules)

    await _change(desk, uow, receipts, decide)


async def _call_back(desk: Desk, uow: UnitOfWork, batch: Sequence[Incoming[N]]) -> None:
    def decide(case: Case, incoming: Incoming[N]) -> Change | None:
        at, reason = incoming.envelope.time, incoming.data.reason
        return survey_not_sent(case, reason, at=at, now=uow.now, rules=desk.rules)

    await _change(desk, uow, batch, decide)


def _is_survey(data: NotificationEvent) -> bool:
    return data.kind == SURVEY and data.audience == Audience.CUSTOMER


def _is_receipt(data: NotificationEvent) -> bool:
    return data.kind == ACKNOWLEDGEMENT and data.audience == Audience.CUSTOMER


async def _change(
    desk: Desk,
    uow: UnitOfWork,
    batch: Sequence[Incoming[E]],
    decide: Decide[E],
    goes_on_in: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Change the cases of events, and those in which they go on."""
    if not batch:
        return
    ids = {incoming.data.complaint_id for incoming in batch}
    found = await lock_cases(uow.connection, {*ids, *goes_on_in.values()})
    await desk.ensure_known(uow.connection, found.values())
    changes = []
    for incoming in batch:
        own = incoming.data.complaint_id
        if own not in found:
            raise CaseMissing(f"no case was opened for {own}")
        for case_id in dict.fromkeys((own, goes_on_in.get(own, own))):
            change = decide(found[case_id], incoming)
            if change is not None:
                found[case_id] = change.case
                changes.append(change)
    await store(uow.connection, changes, now=uow.now)
    publish(uow, changes)
