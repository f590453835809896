"""Every event there is: (type, version) → model."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from pydantic import ValidationError

from shared.events import cases, complaints, deliveries, signals, surveys
from shared.events.base import EventData
from shared.events.envelope import Envelope

EVENT_TYPES: tuple[type[EventData], ...] = (
    complaints.ComplaintReceived,
    complaints.ComplaintAmended,
    complaints.ComplaintRegraded,
    cases.CaseOpened,
    cases.CaseImported,
    cases.CaseAssigned,
    cases.CaseTransferred,
    cases.InvestigationStarted,
    cases.CustomerContacted,
    cases.InformationRequested,
    cases.InformationReceived,
    cases.SolutionProposed,
    cases.SolutionAccepted,
    cases.SolutionDeclined,
    cases.StepCarriedOut,
    cases.ClockWarned,
    cases.ClockBreached,
    cases.ClockExtended,
    cases.ClocksMoved,
    cases.CustomerWrote,
    cases.WaitingEnded,
    cases.UpdateDue,
    cases.FollowUpDue,
    cases.ApprovalRequested,
    cases.ApprovalGranted,
    cases.ApprovalRefused,
    cases.CallBackDue,
    cases.SatisfactionRecorded,
    cases.PromiseMade,
    cases.PromiseKept,
    cases.PromiseDelayed,
    cases.PromiseBroken,
    cases.Escalated,
    cases.DeEscalated,
    cases.CaseMerged,
    cases.IncidentLinked,
    cases.Resolved,
    cases.Rejected,
    cases.Withdrawn,
    cases.Reopened,
    cases.Closed,
    deliveries.NotificationSent,
    deliveries.NotificationDelivered,
    deliveries.NotificationFailed,
    deliveries.NotificationSkipped,
    surveys.SurveyAnswered,
    signals.HotspotDetected,
    signals.IncidentOpened,
)

REGISTRY: Mapping[tuple[str, int], type[EventData]] = MappingProxyType(
    {(model.__name__, model.schema_version): model for model in EVENT_TYPES}
)


class UnknownEvent(ValueError):
    """A type or version that is not in the registry."""


class BrokenData(ValueError):
    """The data is not JSON or does not fit its model."""


def decode(envelope: Envelope, value: bytes) -> EventData:
    """Read an event's data; raises UnknownEvent or BrokenData saying what is wrong."""
    model = REGISTRY.get((envelope.type, envelope.version))
    if model is None:
        raise UnknownEvent(f"no event {envelope.type} of version {envelope.version} is known")
    try:
        data: EventData = model.__pydantic_validator__.validate_json(value)
    except ValidationError as wrong:
        first = wrong.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the body"
        raise BrokenData(f"{envelope.type}: {place}: {first['msg']}") from None
    return data
