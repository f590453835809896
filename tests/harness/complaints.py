"""An ordinary complaint as intake says it: what tests do not care about is always the same."""

from __future__ import annotations

from datetime import datetime

from shared.events.complaints import ComplaintReceived


def received(complaint_id: str, at: datetime, **changes: object) -> ComplaintReceived:
    """Return what intake says of a complaint that came in at `at`."""
    facts: dict[str, object] = {
        "complaint_id": complaint_id,
        "number": "7K3F-9Q2M-X",
        "received_at": at,
        "channel": "web",
        "category": "logistics.short",
        "suggested_category": "logistics.short",
        "severity": "moderate",
        "urgency": "high",
        "priority": "P2",
        "language": "zh",
        "customer_id": "01938f5e-7c2a-7d5e-9d8b-000000000001",
    }
    return ComplaintReceived.model_validate({**facts, **changes})
