"""What each kind of message is for; kinds are named as in `messages/domain/words.py`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from services.notification_service.tone.domain.words import Purpose

_OF: Mapping[str, Purpose] = MappingProxyType(
    {
        "acknowledgement": Purpose.ACKNOWLEDGEMENT,
        "assigned": Purpose.PROGRESS,
        "transferred": Purpose.PROGRESS,
        "escalated": Purpose.PROGRESS,
        "progress": Purpose.PROGRESS,
        "promise": Purpose.PROGRESS,
        "information_requested": Purpose.QUESTION,
        "proposal": Purpose.PROPOSAL,
        "step": Purpose.STEP,
        "promise_kept": Purpose.STEP,
        "promise_delayed": Purpose.DELAY,
        "promise_broken": Purpose.DELAY,
        "extended": Purpose.DELAY,
        "resolved": Purpose.RESOLUTION,
        "rejected": Purpose.REJECTION,
        "reopened": Purpose.REOPENING,
        "closed": Purpose.CLOSING,
        "survey": Purpose.SURVEY,
    }
)
_STAFF = ("staff_", "operator_")


def purpose_of(kind: str) -> Purpose:
    """Return what a kind of message is for; one that has no duties yet is a notice."""
    if kind.startswith(_STAFF):
        return Purpose.INTERNAL
    return _OF.get(kind, Purpose.NOTICE)
