"""How long each stage took: from the milestone reached before it (interface.md)."""

from __future__ import annotations

from datetime import timedelta

from services.analytics_service.projections.domain.bands import band_of
from services.analytics_service.projections.domain.facts import Fact

STAGES = ("to_acknowledge", "to_assign", "to_first_reply", "to_propose", "to_resolve", "total")
_COLUMNS = tuple((stage, f"{stage}_band") for stage in STAGES)


def set_stages(fact: Fact) -> None:
    """Write the seconds and the band of every stage; together they are the complaint's way.

    The milestone before is the latest in time, not in the usual order: a case assigned at opening
    is assigned before it is acknowledged. Of two at one instant the usual order decides.
    """
    milestones = (
        (fact.acknowledged_at, "to_acknowledge"),
        (fact.assigned_at, "to_assign"),
        (fact.first_reply_at, "to_first_reply"),
        (fact.proposed_at, "to_propose"),
        (fact.resolved_at, "to_resolve"),
    )
    reached = [(at, stage) for at, stage in milestones if at is not None]
    if not reached and fact.total is None:
        # Just received. Only a resolution is ever taken back, and it leaves its `total` behind.
        return
    spans: dict[str, timedelta] = {}
    before = fact.received_at
    # Sorting is stable, so equal instants keep the usual order.
    for at, stage in sorted(reached, key=lambda each: each[0]):
        spans[stage] = at - before
        before = max(before, at)
    if fact.resolved_at:
        spans["total"] = fact.resolved_at - fact.received_at
    for stage, band in _COLUMNS:
        span = spans.get(stage)
        setattr(fact, stage, None if span is None else span.total_seconds())
        setattr(fact, band, None if span is None else band_of(span))
