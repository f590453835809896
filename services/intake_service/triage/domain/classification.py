"""What triage decides about a complaint, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from services.intake_service.triage.domain.language import Language
from shared.events.words import Motive, Priority, Severity, Urgency

DecidedBy = Literal["sender", "system"]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something was decided: the rule's name, the words or fact it saw, what it did."""

    rule: str
    evidence: str
    effect: str


@dataclass(frozen=True, slots=True)
class Classification:
    """The first grading of a complaint. `motive` is None where nothing points at one."""

    category: str
    decided_by: DecidedBy
    suggested_category: str
    severity: Severity
    urgency: Urgency
    priority: Priority
    motive: Motive | None
    language: Language
    reasons: tuple[Reason, ...]
