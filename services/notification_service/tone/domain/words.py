"""The closed word lists of the tone check: what a text is for, and what it owes its reader."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Literal

Locale = Literal["zh-CN", "en"]


class Purpose(StrEnum):
    """What a text is for; it decides which duties are due."""

    ACKNOWLEDGEMENT = "acknowledgement"
    REPLY = "reply"
    QUESTION = "question"
    PROGRESS = "progress"
    DELAY = "delay"
    PROPOSAL = "proposal"
    STEP = "step"
    RESOLUTION = "resolution"
    REJECTION = "rejection"
    REOPENING = "reopening"
    CLOSING = "closing"
    SURVEY = "survey"
    APOLOGY_LETTER = "apology_letter"
    THANK_YOU_LETTER = "thank_you_letter"
    LETTER = "letter"
    NOTICE = "notice"
    INTERNAL = "internal"


class Duty(StrEnum):
    """What a text owes: a real apology for the concrete thing, a next step of ours, a time."""

    APOLOGY = "apology"
    NEXT_STEP = "next_step"
    TIME = "time"


_A, _N, _T = Duty.APOLOGY, Duty.NEXT_STEP, Duty.TIME

DUE: Mapping[Purpose, frozenset[Duty]] = MappingProxyType(
    {
        # A receipt comes before anybody has looked: there is nothing yet to apologise for.
        Purpose.ACKNOWLEDGEMENT: frozenset({_N, _T}),
        Purpose.REPLY: frozenset({_A, _N, _T}),
        Purpose.QUESTION: frozenset({_N}),
        Purpose.PROGRESS: frozenset({_N, _T}),
        Purpose.DELAY: frozenset({_A, _N, _T}),
        Purpose.PROPOSAL: frozenset({_N, _T}),
        Purpose.STEP: frozenset(),
        Purpose.RESOLUTION: frozenset({_A, _N}),
        # A rejection apologises for the trouble and names the way to object (S0).
        Purpose.REJECTION: frozenset({_A, _N}),
        Purpose.REOPENING: frozenset({_A, _N}),
        Purpose.CLOSING: frozenset({_N}),
        Purpose.SURVEY: frozenset(),
        Purpose.APOLOGY_LETTER: frozenset({_A, _N, _T}),
        Purpose.THANK_YOU_LETTER: frozenset(),
        Purpose.LETTER: frozenset(),
        Purpose.NOTICE: frozenset(),
        # What staff read among themselves: only what would be wrong about any customer.
        Purpose.INTERNAL: frozenset(),
    }
)
"""What each kind of text owes; `notice` and `letter` are for what none of the others names."""
