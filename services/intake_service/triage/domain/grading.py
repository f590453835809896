"""Turn the phrases found in a complaint, and the facts beside it, into a grading."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from services.intake_service.triage.domain.classification import Reason
from shared.events.complaints import OUTWARD_THREAT
from shared.events.words import Motive, Priority, Severity, Urgency

SEVERITIES = tuple(Severity)
URGENCIES = tuple(Urgency)
PRIORITIES = tuple(Priority)
MOTIVES = tuple(Motive)

L = TypeVar("L", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class CategorySign:
    """A phrase speaks for a category with so many points."""

    code: str
    points: int


@dataclass(frozen=True, slots=True)
class SeveritySign:
    """A phrase means at least this severity."""

    rule: str
    level: Severity


@dataclass(frozen=True, slots=True)
class UrgencySign:
    """A phrase means this urgency."""

    rule: str
    level: Urgency


@dataclass(frozen=True, slots=True)
class RiskSign:
    """A phrase lifts the priority by so many steps."""

    rule: str
    steps: int


@dataclass(frozen=True, slots=True)
class MotiveSign:
    """A phrase speaks for a motive."""

    motive: Motive


Sign = CategorySign | SeveritySign | UrgencySign | RiskSign | MotiveSign


@dataclass(frozen=True, slots=True)
class Lift:
    """How a tier or channel lifts a priority: by steps, or at least to one."""

    steps: int = 0
    at_least: Priority | None = None


@dataclass(frozen=True, slots=True)
class GradingRules:
    """Everything about grading that stands in the file beside the phrases."""

    urgency: Urgency
    urgency_by_channel: Mapping[str, Urgency]
    urgency_by_severity: Mapping[Severity, Urgency]
    matrix: Mapping[Severity, Mapping[Urgency, Priority]]
    tiers: Mapping[str, Lift]
    channels: Mapping[str, Lift]
    motive_by_demand: Mapping[str, Motive]


def grade_severity(
    category: str, usual: Severity, signs: Sequence[tuple[SeveritySign, str]]
) -> tuple[Severity, Reason]:
    """Take the usual severity of the category, raised by the gravest sign."""
    level, reason = usual, Reason("category-severity", category, f"severity {usual}")
    for sign, evidence in signs:
        if SEVERITIES.index(sign.level) > SEVERITIES.index(level):
            level, reason = sign.level, Reason(sign.rule, evidence, f"severity {sign.level}")
    return level, reason


def grade_urgency(
    rules: GradingRules,
    *,
    channel: str,
    severity: Severity,
    signs: Sequence[tuple[UrgencySign, str]],
) -> tuple[Urgency, list[Reason]]:
    """Take the highest urgency that words, channel or severity call for, the words first.

    Every rule that calls for that urgency is told, each once: an outward threat is worth
    knowing even where the channel alone would have sufficed.
    """
    calls = [(sign.level, sign.rule, evidence) for sign, evidence in signs]
    if channel in rules.urgency_by_channel:
        calls.append((rules.urgency_by_channel[channel], "channel", channel))
    if severity in rules.urgency_by_severity:
        calls.append((rules.urgency_by_severity[severity], "severity", severity.value))
    if not calls:
        return rules.urgency, []
    level = max((call[0] for call in calls), key=URGENCIES.index)
    first_of_rule: dict[str, str] = {}
    for called, rule, evidence in calls:
        if called is level or rule == OUTWARD_THREAT:
            first_of_rule.setdefault(rule, evidence)
    effect = f"urgency {level}"
    return level, [Reason(rule, evidence, effect) for rule, evidence in first_of_rule.items()]


def grade_priority(
    rules: GradingRules,
    *,
    severity: Severity,
    urgency: Urgency,
    tier: str,
    channel: str,
    risks: Sequence[tuple[RiskSign, str]],
) -> tuple[Priority, list[Reason]]:
    """Read the matrix, then let tier, channel and risks lift what they find."""
    priority = rules.matrix[severity][urgency]
    reasons = []
    lifts = [
        ("tier", tier, rules.tiers.get(tier)),
        ("channel", channel, rules.channels.get(channel)),
    ]
    lifts += [(sign.rule, evidence, Lift(steps=sign.steps)) for sign, evidence in risks[:1]]
    for rule, evidence, lift in lifts:
        lifted = _lift(priority, lift)
        if lifted is not priority:
            priority = lifted
            reasons.append(Reason(rule, evidence, f"priority {priority}"))
    return priority, reasons


def _lift(priority: Priority, lift: Lift | None) -> Priority:
    if lift is None:
        return priority
    place = PRIORITIES.index(priority) - lift.steps
    if lift.at_least is not None:
        place = min(place, PRIORITIES.index(lift.at_least))
    return PRIORITIES[max(0, place)]


def find_motive(
    rules: GradingRules, *, demands: Sequence[str], signs: Sequence[tuple[MotiveSign, str]]
) -> tuple[Motive | None, Reason | None]:
    """Return the motive that most speaks for: a demand counts two, a phrase one."""
    points: dict[Motive, int] = {}
    evidence: dict[Motive, Reason] = {}
    for demand in demands:
        motive = rules.motive_by_demand.get(demand)
        if motive is not None:
            points[motive] = points.get(motive, 0) + 2
            evidence.setdefault(motive, Reason("demand", demand, f"motive {motive}"))
    for sign, words in signs:
        points[sign.motive] = points.get(sign.motive, 0) + 1
        evidence.setdefault(sign.motive, Reason("words", words, f"motive {sign.motive}"))
    if not points:
        return None, None
    # `max` keeps the first at a tie, and the enumeration is in the order of the file's rule.
    motive = max((m for m in MOTIVES if m in points), key=points.__getitem__)
    return motive, evidence[motive]


def suggest_category(signs: Sequence[tuple[CategorySign, str]]) -> tuple[str, str] | None:
    """Return the category with most points and the words that weighed most, or None."""
    points: dict[str, int] = {}
    best: dict[str, tuple[int, str]] = {}
    for sign, words in signs:
        points[sign.code] = points.get(sign.code, 0) + sign.points
        if sign.points > best.get(sign.code, (0, ""))[0]:
            best[sign.code] = (sign.points, words)
    if not points:
        return None
    code = max(points, key=points.__getitem__)
    return code, best[code][1]
