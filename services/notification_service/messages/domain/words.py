"""The closed word lists of messages: kinds, states, reasons."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Kind(StrEnum):
    """What a message is about; those that go to staff say so, the others go to the customer."""

    ACKNOWLEDGEMENT = "acknowledgement"
    ASSIGNED = "assigned"
    TRANSFERRED = "transferred"
    INFORMATION_REQUESTED = "information_requested"
    PROPOSAL = "proposal"
    STEP = "step"
    RESOLVED = "resolved"
    REJECTED = "rejected"
    REOPENED = "reopened"
    CLOSED = "closed"
    PROGRESS = "progress"
    PROMISE = "promise"
    PROMISE_KEPT = "promise_kept"
    PROMISE_DELAYED = "promise_delayed"
    PROMISE_BROKEN = "promise_broken"
    ESCALATED = "escalated"
    EXTENDED = "extended"
    SURVEY = "survey"
    STAFF_ASSIGNMENT = "staff_assignment"
    STAFF_WARNING = "staff_warning"
    STAFF_BREACH = "staff_breach"
    STAFF_ESCALATION = "staff_escalation"
    STAFF_EMERGENCY = "staff_emergency"
    STAFF_HANDED_UP = "staff_handed_up"
    STAFF_HANDED_DOWN = "staff_handed_down"
    STAFF_FOLLOW_UP = "staff_follow_up"
    STAFF_SATISFACTION = "staff_satisfaction"
    STAFF_PROMISE_DELAYED = "staff_promise_delayed"
    STAFF_MERGED = "staff_merged"
    STAFF_APPROVAL = "staff_approval"
    STAFF_APPROVAL_GRANTED = "staff_approval_granted"
    STAFF_APPROVAL_REFUSED = "staff_approval_refused"
    STAFF_ANSWERED = "staff_answered"
    STAFF_CUSTOMER_WROTE = "staff_customer_wrote"
    STAFF_WAITING_ENDED = "staff_waiting_ended"
    STAFF_HOTSPOT = "staff_hotspot"
    STAFF_INCIDENT = "staff_incident"
    STAFF_INCIDENT_LINKED = "staff_incident_linked"
    OPERATOR_ALERT = "operator_alert"


class About(StrEnum):
    """What a message is about; all but a complaint is told to staff only."""

    COMPLAINT = "complaint"
    HOTSPOT = "hotspot"
    INCIDENT = "incident"


_ABOUT: Mapping[str, About] = {
    Kind.STAFF_HOTSPOT: About.HOTSPOT,
    Kind.STAFF_INCIDENT: About.INCIDENT,
}


def about_of(kind: str) -> About:
    """Return what messages of a kind are about."""
    return _ABOUT.get(kind, About.COMPLAINT)


class State(StrEnum):
    """Where a message stands: `queued → sending → sent | unknown | failed`, or skipped.

    `unknown`: it may have been accepted, and sending again might double it; a person decides.
    Where the gateway sends receipts `sent` becomes `delivered`, or the other channel is tried;
    `undelivered` where there is no other.
    """

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    UNKNOWN = "unknown"
    FAILED = "failed"
    SKIPPED = "skipped"


class Reason(StrEnum):
    """Why a message was not sent, or waits, where no gateway was to blame: the closed list."""

    NO_ADDRESS = "no_address"
    NOT_KNOWN = "complaint_unknown_or_erased"
    NO_WORDS = "words_unknown_or_erased"
    DISABLED = "disabled"
    NO_CONSENT = "no_consent"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"
    DUPLICATE = "duplicate"
    QUIET_HOURS = "quiet_hours"
    RATE_LIMITED = "rate_limited"
    GATHERED = "gathered"
    CRASHED = "crashed_while_sending"
    UNDELIVERED = "undelivered"
    NO_RECEIPT = "no_receipt"
    DEFECT = "defect"


def ended_by(reason: str) -> State:
    """Return the state of a message that has no channel left, by why the last one was given up."""
    by_receipt = reason.startswith((Reason.UNDELIVERED, Reason.NO_RECEIPT))
    return State.UNDELIVERED if by_receipt else State.FAILED


WAITING = frozenset({Reason.QUIET_HOURS, Reason.RATE_LIMITED, Reason.GATHERED})
"""Reasons of messages that are not given up: they go when their time comes."""

CUSTOMER = "customer"
"""The recipient of a message to the customer; staff are named by their id, or as a group
(`recipients/domain/groups.py`) until the sender knows who they are: one intent each."""

ROOM = "chat:"
"""What the recipient of a message to a team's chat begins with; the room's name follows."""
