"""A case as a row, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import RowMapping

from services.workflow_service.cases.domain.case import Case, Facts
from services.workflow_service.clocks.domain.clock import Clock, Segment, WarningPoint
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
        _text(case.clocks),
        case.overdue_from(),
        case.version,
        case.sequence,
        case.imported,
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
    )


def clocks_of(documents: Iterable[Document]) -> tuple[Clock, ...]:
    """Read the clocks of a case."""
    return tuple(_clock(document) for document in documents)


def _clock(document: Document) -> Clock:
    return Clock(
        kind=ClockKind(document["kind"]),
        round=document["round"],
        rule=document["rule"],
        calendar=document["calendar"],
        target_seconds=document["target_seconds"],
        state=ClockState(document["state"]),
        started_at=_required(document["started_at"]),
        due_at=_instant(document["due_at"]),
        warnings=_warnings(document["warnings"]),
        segments=_segments(document["segments"]),
        met_at=_instant(document["met_at"]),
        breached_at=_instant(document["breached_at"]),
        ended_at=_instant(document["ended_at"]),
    )


def _warnings(documents: Sequence[Document]) -> tuple[WarningPoint, ...]:
    return tuple(
        WarningPoint(point["percent"], _instant(point["at"]), _instant(point["fired_at"]))
        for point in documents
    )


def _segments(documents: Sequence[Document]) -> tuple[Segment, ...]:
    return tuple(
        Segment(_required(part["start"]), _instant(part["end"]), part["counted"], part["why"])
        for part in documents
    )


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _required(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _text(value: object) -> str:
    return orjson.dumps(value, option=orjson.OPT_UTC_Z).decode()
