"""Add to a complaint, put it right, grade it anew. The complaint itself is never altered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from services.intake_service.complaints.repository import changing, reading
from services.intake_service.complaints.repository.reading import StoredComplaint
from services.intake_service.complaints.service.reading import UnknownComplaint
from services.intake_service.customers.service import KeyRing
from shared.events.complaints import ComplaintAmended, ComplaintRegraded
from shared.events.words import Severity, Urgency
from shared.kernel.errors import Conflict
from shared.kernel.ids import new_id
from shared.kernel.vault import DataKey
from shared.messaging import UnitOfWork


class CustomerErased(Conflict):
    """The customer's data was erased; nothing can be added under a key that is destroyed."""

    code = "customer-erased"
    title = "This customer's data was erased"


SUPERVISION: Literal["supervision"] = "supervision"
"""The kind of an addition by which the customer asks for a supervisor; it has no words."""


@dataclass(frozen=True, slots=True)
class NewAddition:
    """What is added. `author` is the principal of a member of staff."""

    text: str
    by: Literal["customer", "staff"]
    kind: Literal["addition", "correction", "objection", "supervision"] = "addition"
    fields: Sequence[str] = ()
    author: str | None = None


@dataclass(frozen=True, slots=True)
class Overruling:
    """What a person decided about a complaint's grade; None leaves as it is."""

    by: str
    why: str
    category: str | None = None
    severity: Severity | None = None
    urgency: Urgency | None = None


@dataclass(frozen=True, slots=True)
class Addition:
    """An addition as it was stored."""

    id: str
    complaint_id: str
    created_at: datetime


class Grader(Protocol):
    """Reads the priority from the matrix, and what words mean: `triage.service.Triage`."""

    def priority(self, *, severity: Severity, urgency: Urgency, tier: str, channel: str) -> str:
        """Return the priority of a grade."""
        ...

    def signals(self, text: str) -> tuple[str, ...]:
        """Return what words are signs of, as events name it."""
        ...


async def amend(
    uow: UnitOfWork, keys: KeyRing, grader: Grader, complaint_id: str, new: NewAddition
) -> Addition:
    """Append an addition or correction and say so; raises UnknownComplaint, CustomerErased."""
    stored, key = await _locked(uow, keys, complaint_id)
    addition = Addition(new_id(), stored.id, uow.now)
    await changing.add_addition(
        uow.connection,
        {
            "id": addition.id,
            "complaint_id": stored.id,
            "kind": new.kind,
            "by": new.by,
            "author": new.author,
            "fields": list(new.fields),
            "text": key.encrypt(new.text, context=f"addition:{addition.id}"),
            "created_at": uow.now,
        },
    )
    event = ComplaintAmended(
        complaint_id=stored.id,
        number=stored.number,
        kind=new.kind,
        by=new.by,
        fields=tuple(new.fields),
        signals=grader.signals(new.text),
    )
    uow.emit(event, sequence=await _next_sequence(uow, stored))
    return addition


async def ask_supervisor(
    uow: UnitOfWork, keys: KeyRing, grader: Grader, complaint_id: str
) -> tuple[datetime, bool]:
    """Pass a complaint on to the supervisors; returns since when, and whether it is since now.

    Asking again changes nothing and says nothing. Raises UnknownComplaint and CustomerErased.
    """
    stored, _key = await _locked(uow, keys, complaint_id)
    for addition in await reading.additions_of(uow.connection, stored.id):
        if addition.kind == SUPERVISION:
            return addition.created_at, False
    asked = await amend(uow, keys, grader, stored.id, NewAddition("", "customer", SUPERVISION))
    return asked.created_at, True


async def regrade(
    uow: UnitOfWork, keys: KeyRing, grader: Grader, complaint_id: str, decided: Overruling
) -> None:
    """Overrule the classification, keep who and why, and say so.

    Raises UnknownComplaint and CustomerErased. A decision that changes nothing is recorded too.
    """
    stored, key = await _locked(uow, keys, complaint_id)
    before = {
        "category": stored.category,
        "severity": stored.severity,
        "urgency": stored.urgency,
        "priority": stored.priority,
    }
    after = _decided(stored, decided, grader)
    sequence = await _next_sequence(uow, stored)
    await changing.set_grade(uow.connection, stored.id, {**after, "decided_by": "staff"})
    await changing.add_regrading(
        uow.connection,
        {
            "complaint_id": stored.id,
            "sequence": sequence,
            "by": decided.by,
            "why": key.encrypt(decided.why, context=f"regrading:{stored.id}:{sequence}"),
            "before": before,
            "after": after,
            "created_at": uow.now,
        },
    )
    old = {f"old_{name}": value for name, value in before.items()}
    event = ComplaintRegraded(
        complaint_id=stored.id,
        number=stored.number,
        decided_by="staff",
        reasons=("overruled",),
        **old,
        **after,
    )
    uow.emit(event, sequence=sequence)


def _decided(stored: StoredComplaint, decided: Overruling, grader: Grader) -> dict[str, str]:
    severity = decided.severity or Severity(stored.severity)
    urgency = decided.urgency or Urgency(stored.urgency)
    priority = grader.priority(
        severity=severity, urgency=urgency, tier=stored.tier, channel=stored.channel
    )
    return {
        "category": decided.category or stored.category,
        "severity": severity.value,
        "urgency": urgency.value,
        "priority": priority,
    }


async def _locked(
    uow: UnitOfWork, keys: KeyRing, complaint_id: str
) -> tuple[StoredComplaint, DataKey]:
    stored = await reading.lock(uow.connection, complaint_id)
    if stored is None:
        raise UnknownComplaint(f"No complaint is known as {complaint_id}.")
    if stored.data_key is None:
        raise CustomerErased("Nothing can be added to a complaint whose customer was erased.")
    return stored, keys.open(stored.data_key)


async def _next_sequence(uow: UnitOfWork, stored: StoredComplaint) -> int:
    sequence = stored.sequence + 1
    await changing.set_sequence(uow.connection, stored.id, sequence)
    return sequence
