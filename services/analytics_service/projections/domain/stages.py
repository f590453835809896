"""How long each stage took: from the milestone reached before it (interface.md)."""

from __future__ import annotations

from services.analytics_service.projections.domain.facts import Fact


def set_stages(fact: Fact) -> None:
    """Write the seconds of every stage, so that the stages of a complaint add up to its way.

    The milestone before is the latest in time, not in the usual order: a case assigned at opening
    is assigned before it is acknowledged. Of two at one instant the usual order decides.
    """
    reached = [
        ("to_acknowledge", fact.acknowledged_at),
        ("to_assign", fact.assigned_at),
        ("to_first_reply", fact.first_reply_at),
        ("to_propose", fact.proposed_at),
        ("to_resolve", fact.resolved_at),
    ]
    before = fact.received_at
    for stage, _ in reached:
        setattr(fact, stage, None)
    # Sorting is stable, so equal instants keep the usual order.
    for at, stage in sorted(((at, name) for name, at in reached if at), key=lambda each: each[0]):
        setattr(fact, stage, (at - before).total_seconds())
        before = max(before, at)
    resolved = fact.resolved_at
    fact.total = (resolved - fact.received_at).total_seconds() if resolved else None
