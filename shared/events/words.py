"""The closed word lists that more than one service speaks (domain.md §1–3).

Events carry them as plain strings: a new word must not break an old subscriber.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal


class Channel(StrEnum):
    """How a complaint reached us (渠道)."""

    HOTLINE = "hotline"
    SUPERVISION_HOTLINE = "supervision_hotline"
    EMAIL = "email"
    WEB = "web"
    CHAT = "chat"
    APP = "app"
    SOCIAL = "social"
    IN_PERSON = "in_person"
    LETTER = "letter"
    REGULATOR = "regulator"
    MEDIA = "media"


class Severity(StrEnum):
    """Harm done (严重程度), mildest first."""

    MINOR = "minor"
    MODERATE = "moderate"
    MAJOR = "major"
    CRITICAL = "critical"


class Urgency(StrEnum):
    """How fast the harm grows or a deadline nears (紧急程度), calmest first."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    IMMEDIATE = "immediate"


class Priority(StrEnum):
    """P1 first (优先级)."""

    P1 = "P1"
    P2 = "P2"
    P3 = "P3"
    P4 = "P4"


class Tier(StrEnum):
    """The customer's level in the CRM (客户级别)."""

    STANDARD = "standard"
    SILVER = "silver"
    GOLD = "gold"
    VIP = "vip"


class Segment(StrEnum):
    """What history says of a customer (客户分群)."""

    FIRST_TIME = "first_time"
    ORDINARY = "ordinary"
    GOODWILL = "goodwill"
    HIGH_FREQUENCY = "high_frequency"
    PREVIOUSLY_ESCALATED = "previously_escalated"
    PROFESSIONAL_CLAIMANT = "professional_claimant"
    ABUSIVE = "abusive"


class Motive(StrEnum):
    """What the customer seeks (投诉心理); decides tone and first step, never the outcome."""

    COMPENSATION = "compensation"
    RESPECT = "respect"
    VENT = "vent"
    IMPROVEMENT = "improvement"


class CaseState(StrEnum):
    """Where a case stands (domain.md §2)."""

    RECEIVED = "received"
    ASSIGNED = "assigned"
    INVESTIGATING = "investigating"
    AWAITING_CUSTOMER = "awaiting_customer"
    PROPOSED = "proposed"
    EXECUTING = "executing"
    RESOLVED = "resolved"
    CLOSED = "closed"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class ClockKind(StrEnum):
    """The milestones that have a clock. Clocks of rules from outside have kinds of their own."""

    ACKNOWLEDGE = "acknowledge"
    ASSIGN = "assign"
    FIRST_REPLY = "first_reply"
    PROPOSE = "propose"
    RESOLVE = "resolve"
    FOLLOW_UP = "follow_up"
    NEXT_UPDATE = "next_update"
    DEPARTMENT_CONTACT = "department_contact"
    DEPARTMENT_ANSWER = "department_answer"
    APPROVE = "approve"
    CARRY_OUT = "carry_out"
    PROMISE = "promise"


class ClockState(StrEnum):
    """What became of a clock."""

    RUNNING = "running"
    PAUSED = "paused"
    MET = "met"
    BREACHED = "breached"
    CANCELLED = "cancelled"


class Outcome(StrEnum):
    """How a case ended (domain.md §2, step 11)."""

    SOLVED = "solved"
    WORKAROUND = "workaround"
    ANSWERED = "answered"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    MERGED = "merged"
    """Handled with another complaint about the same matter; in no figure an answer."""


class Audience(StrEnum):
    """Whom a message is for."""

    CUSTOMER = "customer"
    STAFF = "staff"


class MessageChannel(StrEnum):
    """How a message travels."""

    SMS = "sms"
    EMAIL = "email"
    CHAT = "chat"
    """A team's room; never the customer's."""


PersonalChannel = Literal[MessageChannel.SMS, MessageChannel.EMAIL]
"""How a message travels to one person."""
