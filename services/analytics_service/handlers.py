"""What analytics reacts to: one function per event; all others only move the high-water mark."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from services.analytics_service.projections.domain import folding
from shared.events import cases, complaints, deliveries, topics
from shared.events.base import EventData

TOPICS: tuple[str, ...] = (topics.COMPLAINTS, topics.NOTIFICATIONS)

# The value type is Any because a function takes exactly the event it stands beside.
REACTIONS: Mapping[type[EventData], Any] = MappingProxyType(
    {
        complaints.ComplaintRegraded: folding.regraded,
        cases.CaseOpened: folding.opened,
        cases.CaseImported: folding.imported,
        cases.CaseAssigned: folding.assigned,
        cases.CaseTransferred: folding.transferred,
        cases.CustomerContacted: folding.contacted,
        cases.InformationRequested: folding.information_requested,
        cases.SolutionProposed: folding.proposed,
        cases.ClockBreached: folding.clock_breached,
        cases.ClocksMoved: folding.clocks_moved,
        cases.ClockExtended: folding.clock_extended,
        cases.Escalated: folding.escalated,
        cases.DeEscalated: folding.de_escalated,
        cases.Resolved: folding.resolved,
        cases.FollowUpDue: folding.follow_up_due,
        cases.SatisfactionRecorded: folding.satisfaction_recorded,
        cases.Rejected: folding.rejected,
        cases.Withdrawn: folding.withdrawn,
        cases.Reopened: folding.reopened,
        cases.Closed: folding.closed,
        cases.CaseMerged: folding.merged,
        deliveries.NotificationSent: folding.acknowledgement_sent,
        deliveries.NotificationSkipped: folding.acknowledgement_skipped,
    }
)
