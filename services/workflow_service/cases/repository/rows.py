"""A case as a row, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import RowMapping

from services.workflow_service.cases.domain.case import Case, Facts
from services.workflow_service.clocks.domain.clock import STARTED, Clock, Segment, WarningPoint
from shared.events.cases import OptionOffered
from shared.events.words import CaseState, ClockKind, ClockState

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
        clocks_text(case.clocks),
        case.overdue_from(),
        case.version,
        case.sequence,
        case.imported,
        case.awaiting_until,
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
        clocks=clocks_of(row["clocks"]),
        version=row["version"],
        sequence=row["sequence"],
        imported=row["imported"],
        awaiting_until=row["awaiting_until"],
    )


def clocks_text(clocks: Iterable[Clock]) -> str:
    """Write the clocks of a case, leaving out what goes without saying.

    Imports bring tens of thousands of settled cases: half the text is half the disk.
    """
    return _text([_document(clock) for clock in clocks])


def clocks_of(documents: Iterable[Document]) -> tuple[Clock, ...]:
    """Read the clocks of a case."""
    return tuple(_clock(document) for document in documents)


def _document(clock: Clock) -> Document:
    document: dict[str, object] = {
        "kind": clock.kind.value,
        "rule": clock.rule,
        "calendar": clock.calendar,
        "target_seconds": clock.target_seconds,
        "state": clock.state.value,
        "started_at": clock.started_at,
    }
    for name in ("due_at", "met_at", "breached_at", "ended_at"):
        instant = getattr(clock, name)
        if instant is not None:
            document[name] = instant
    if clock.round != 1:
        document["round"] = clock.round
    if clock.warnings:
        document["warnings"] = [[w.percent, w.at, w.fired_at] for w in clock.warnings]
    if not _is_unbroken(clock):
        document["segments"] = [[s.start, s.end, s.counted, s.why] for s in clock.segments]
    return document


def _clock(document: Document) -> Clock:
    started_at = datetime.fromisoformat(document["started_at"])
    ended_at = _instant(document.get("ended_at"))
    segments = document.get("segments")
    return Clock(
        kind=ClockKind(document["kind"]),
        round=document.get("round", 1),
        rule=document["rule"],
        calendar=document["calendar"],
        target_seconds=document["target_seconds"],
        state=ClockState(document["state"]),
        started_at=started_at,
        due_at=_instant(document.get("due_at")),
        warnings=tuple(
            WarningPoint(percent, _instant(at), _instant(fired_at))
            for percent, at, fired_at in document.get("warnings", ())
        ),
        segments=_unbroken(started_at, ended_at) if segments is None else _segments(segments),
        met_at=_instant(document.get("met_at")),
        breached_at=_instant(document.get("breached_at")),
        ended_at=ended_at,
    )


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
        Segment(datetime.fromisoformat(start), _instant(end), counted, why)
        for start, end, counted, why in parts
    )


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _text(value: object) -> str:
    return orjson.dumps(value, option=orjson.OPT_UTC_Z).decode()
