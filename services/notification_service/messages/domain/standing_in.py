"""Who hears of what cannot wait where the person it is for has no address that works."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from services.notification_service.messages.domain.words import Kind
from services.notification_service.recipients.domain.groups import OPERATORS, Colleague, members

_HANDED_ON = frozenset(
    {
        Kind.STAFF_BREACH,
        Kind.STAFF_ESCALATION,
        Kind.STAFF_EMERGENCY,
        Kind.STAFF_APPROVAL,
        Kind.STAFF_INCIDENT,
        Kind.OPERATOR_ALERT,
    }
)
"""What somebody has to act on now; all else is found in the list of cases."""

_RANKS = ("agent", "lead", "manager", "executive")


def can_wait(kind: str) -> bool:
    """Tell whether a kind of message may reach nobody."""
    return kind not in _HANDED_ON


def stand_ins(
    unreachable: str, people: Mapping[str, Colleague], *, instead_of: str | None = None
) -> tuple[str, ...]:
    """Return who is told in somebody's stead; empty where nobody is left.

    The lead of their department, else its manager and so on, never below their own rank; else the
    operators. `instead_of` is set where they were to stand in themselves: then it is the operators.
    """
    others = [
        one
        for one in people.values()
        if one.id not in {unreachable, instead_of} and (one.phone or one.email)
    ]
    missed = people.get(unreachable)
    if missed is not None and missed.department and instead_of is None:
        lowest = _RANKS.index(missed.role) if missed.role in _RANKS else 0
        for role in _RANKS[max(lowest, 1) :]:
            if found := _having({role}, (o for o in others if o.department == missed.department)):
                return found
    return tuple(members(OPERATORS, others))


def _having(roles: Collection[str | None], people: Iterable[Colleague]) -> tuple[str, ...]:
    return tuple(sorted(one.id for one in people if one.role in roles))
