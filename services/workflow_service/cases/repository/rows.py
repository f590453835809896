"""A case as a row, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import RowMapping

from services.workflow_service.cases.domain.call_back import (
    CallAttempt,
    CallBack,
    CallBackState,
    CallReason,
    CallResult,
    Satisfaction,
)
from services.workflow_service.cases.domain.case import Case, Facts
from services.workflow_service.cases.domain.promise import Promise, PromiseState
from services.workflow_service.clocks.domain.clock import (
    STARTED,
    Clock,
    Segment,
    TargetChange,
    WarningPoint,
)
from services.workflow_service.clocks.domain.target import WHOLE, Mark
from services.workflow_service.organisation.domain.person import StaffRole
from services.workflow_service.remedies.domain.approval import Approval
from shared.events.base import Money
from shared.events.cases import OptionOffered
from shared.events.words import CaseState, ClockState

Document = Mapping[str, Any]


def row_of(case: Case) -> tuple[object, ...]:
    """Return the case in the order of the columns of `cases`."""
    return (
        case.id,
        case.number,
        case.state.value,
        case.round,
        case.owner,
        case.department,
        case.category,
        case.priority,
        case.escalation_level,
        case.warning_level,
        case.handovers,
        case.declines,
        _text([option.model_dump() for option in case.options]),
        case.accepted_option,
        case.outcome,
        case.state_before.value if case.state_before else None,
        case.opened_at,
        case.policy,
        _text(case.facts),
        clocks_text(case),
        case.overdue_from(),
        case.version,
        case.sequence,
        case.imported,
        case.awaiting_until,
        case.facts.customer_id,
        case.facts.channel,
        _text(case.promises),
        _text(case.causes),
        case.escalated_at,
        case.final_offer,
        case.watched,
        case.facts.repeat_of,
        case.merged_into,
        case.changed_at,
        _approval_text(case.approval),
        case.approval.approver if case.approval else None,
        _text(case.call_backs) if case.call_backs else None,
        _text(case.satisfaction) if case.satisfaction else None,
    )


def case_of(row: RowMapping) -> Case:
    """Read a row of `cases`."""
    before = row["state_before"]
    return Case(
        id=row["id"],
        number=row["number"],
        state=CaseState(row["state"]),
        category=row["category"],
        priority=row["priority"],
        opened_at=row["opened_at"],
        policy=row["policy"],
        facts=Facts(**row["facts"]),
        owner=row["owner"],
        department=row["department"],
        round=row["round"],
        escalation_level=row["escalation_level"],
        warning_level=row["warning_level"],
        handovers=row["handovers"],
        declines=row["declines"],
        options=tuple(OptionOffered.model_validate(option) for option in row["options"]),
        accepted_option=row["accepted_option"],
        outcome=row["outcome"],
        state_before=CaseState(before) if before else None,
        clocks=clocks_of(row["clocks"], policy=row["policy"]),
        version=row["version"],
        sequence=row["sequence"],
        imported=row["imported"],
        awaiting_until=row["awaiting_until"],
        promises=tuple(_promise(document) for document in row["promises"]),
        causes=tuple(row["causes"] or ()),
        escalated_at=row["escalated_at"],
        final_offer=bool(row["final_offer"]),
        watched=row["watched"],
        merged_into=row["merged_into"],
        changed_at=row["changed_at"],
        approval=_approval(row["approval"]),
        call_backs=tuple(_call_back(document) for document in row["call_backs"] or ()),
        satisfaction=_satisfaction(row["satisfaction"]),
    )


def clocks_text(case: Case) -> str:
    """Write the clocks of a case, leaving out what goes without saying.

    Imports bring tens of thousands of settled cases: half the text is half the disk.
    """
    return _text([_document(clock, case.policy) for clock in case.clocks])


def clocks_of(documents: Iterable[Document], *, policy: str) -> tuple[Clock, ...]:
    """Read the clocks of a case that was opened under `policy`."""
    return tuple(_clock(document, policy) for document in documents)


def data_text(data: Mapping[str, object] | None) -> str | None:
    """Write what a line of the history needs for a replay."""
    return None if data is None else _text(data)


_USUAL = (("round", 1), ("subject", None), ("reached_by", None), ("level", 0), ("share", WHOLE))
_APPROVAL = ("final", "words_id", "role", "requested_by", "requested_at", "approver")
_INSTANTS = ("due_at", "opens_at", "opened_at", "met_at", "breached_at", "ended_at")
_STATES: Mapping[str, ClockState] = {state.value: state for state in ClockState}
_at = datetime.fromisoformat
# Every stored clock names the same few: reading one costs more than the rest of its warning.
_mark = lru_cache(maxsize=1000)(Mark.parse)


def _document(clock: Clock, case_policy: str) -> Document:
    document: dict[str, object] = {
        "kind": clock.kind,
        "rule": clock.rule,
        "calendar": clock.calendar,
        "target_seconds": clock.target_seconds,
        "state": clock.state.value,
        "started_at": clock.started_at,
    }
    for name in _INSTANTS:
        instant = getattr(clock, name)
        if instant is not None:
            document[name] = instant
    if clock.policy != case_policy:
        document["policy"] = clock.policy
    for name, usual in _USUAL:
        value = getattr(clock, name)
        if value != usual:
            document[name] = value
    if clock.warnings:
        document["warnings"] = [[str(w.mark), w.at, w.fired_at] for w in clock.warnings]
    if clock.changes:
        document["changes"] = [[c.at, c.from_seconds, c.why, c.by] for c in clock.changes]
    if not _is_unbroken(clock):
        document["segments"] = [[s.start, s.end, s.counted, s.why] for s in clock.segments]
    return document


def _clock(document: Document, case_policy: str) -> Clock:
    had = document.get
    started_at, ended_at = _at(document["started_at"]), _instant(had("ended_at"))
    segments = had("segments")
    return Clock(
        kind=document["kind"],
        round=had("round", 1),
        policy=had("policy", case_policy),
        rule=document["rule"],
        calendar=document["calendar"],
        target_seconds=document["target_seconds"],
        state=_STATES[document["state"]],
        started_at=started_at,
        due_at=_instant(had("due_at")),
        warnings=_warnings(had("warnings")),
        segments=_unbroken(started_at, ended_at) if segments is None else _segments(segments),
        changes=_changes(had("changes")),
        subject=had("subject"),
        level=had("level", 0),
        reached_by=had("reached_by"),
        share=had("share", WHOLE),
        opens_at=_instant(had("opens_at")),
        opened_at=_instant(had("opened_at")),
        met_at=_instant(had("met_at")),
        breached_at=_instant(had("breached_at")),
        ended_at=ended_at,
    )


def _warnings(parts: Sequence[Sequence[Any]] | None) -> tuple[WarningPoint, ...]:
    if not parts:
        return ()
    return tuple(
        WarningPoint(_mark(mark), _instant(at), _instant(done)) for mark, at, done in parts
    )


def _changes(parts: Sequence[Sequence[Any]] | None) -> tuple[TargetChange, ...]:
    if not parts:
        return ()
    return tuple(TargetChange(_at(at), seconds, why, by) for at, seconds, why, by in parts)


def _promise(document: Document) -> Promise:
    times = {
        name: _instant(document[name]) for name in ("made_at", "due_at", "broken_at", "kept_at")
    }
    return Promise(**{**document, **times, "state": PromiseState(document["state"])})


def _approval_text(approval: Approval | None) -> str | None:
    if approval is None:
        return None
    document: dict[str, object] = {name: getattr(approval, name) for name in _APPROVAL}
    document["options"] = [option.model_dump() for option in approval.options]
    document["amount"] = approval.amount.model_dump()
    return _text(document)


def _approval(document: Document | None) -> Approval | None:
    if document is None:
        return None
    return Approval(
        **{
            **document,
            "options": tuple(OptionOffered.model_validate(one) for one in document["options"]),
            "amount": Money.model_validate(document["amount"]),
            "role": StaffRole(document["role"]),
            "requested_at": _at(document["requested_at"]),
        }
    )


def _call_back(document: Document) -> CallBack:
    times = {
        name: _instant(document[name])
        for name in ("opened_at", "due_at", "call_again_at", "ended_at")
    }
    return CallBack(
        **{
            **document,
            **times,
            "reason": CallReason(document["reason"]),
            "state": CallBackState(document["state"]),
            "attempts": tuple(_attempt(one) for one in document["attempts"]),
        }
    )


def _attempt(document: Document) -> CallAttempt:
    times = {name: _instant(document[name]) for name in ("at", "call_again_at")}
    return CallAttempt(**{**document, **times, "result": CallResult(document["result"])})


def _satisfaction(document: Document | None) -> Satisfaction | None:
    if document is None:
        return None
    return Satisfaction(**{**document, "at": datetime.fromisoformat(document["at"])})


def _is_unbroken(clock: Clock) -> bool:
    if len(clock.segments) != 1:
        return False
    only = clock.segments[0]
    return (
        only.counted
        and only.why == STARTED
        and only.start == clock.started_at
        and only.end == clock.ended_at
    )


def _unbroken(started_at: datetime, ended_at: datetime | None) -> tuple[Segment, ...]:
    return (Segment(started_at, ended_at, True, STARTED),)


def _segments(parts: Sequence[tuple[str, str | None, bool, str]]) -> tuple[Segment, ...]:
    return tuple(
        Segment(_at(start), _instant(end), counted, why) for start, end, counted, why in parts
    )


def _instant(text: str | None) -> datetime | None:
    return None if text is None else _at(text)


def _text(value: object) -> str:
    return orjson.dumps(value, option=orjson.OPT_UTC_Z).decode()
