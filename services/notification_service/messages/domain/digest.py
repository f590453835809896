"""Digests: calm messages to one member of staff, gathered and sent as one e-mail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from pydantic import JsonValue

from services.notification_service.messages.domain.intents import Intent
from services.notification_service.messages.domain.routing import Route
from services.notification_service.messages.domain.words import ROOM
from services.notification_service.recipients.domain.groups import is_group
from shared.events.words import Audience

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Item:
    """One message as a digest tells it: its own subject, and where its case is."""

    subject: str
    link: str


def gathered_until(
    intent: Intent, route: Route, urgency: str, *, now: datetime, every: timedelta
) -> datetime | None:
    """Return when a message goes out with its recipient's next digest; None for: at once.

    At once goes what is for customers, what is urgent, what is for a group or a room, and
    what speaks of something due before the digest would come.
    """
    to_one_of_staff = intent.audience is Audience.STAFF and not is_group(intent.recipient)
    to_one_of_staff = to_one_of_staff and not intent.recipient.startswith(ROOM)
    if not every or not to_one_of_staff or route.is_urgent(urgency):
        return None
    comes_at = next_digest(now, every)
    return None if _is_due(intent.facts, comes_at) else comes_at


def next_digest(now: datetime, every: timedelta) -> datetime:
    """Return the next full `every`, counted the same way by every process."""
    return _EPOCH + ((now - _EPOCH) // every + 1) * every


def compose(locale: Literal["zh-CN", "en"], items: Sequence[Item]) -> tuple[str, str]:
    """Return subject and text of a digest."""
    count, colon = len(items), "：" if locale == "zh-CN" else ": "
    lines = "\n".join(f"- {item.subject}{colon}{item.link}" for item in items)
    if locale == "zh-CN":
        return f"{count} 条工作提醒", f"您好：\n\n以下是 {count} 条提醒，最早的在前。\n\n{lines}\n"
    head = f"Here are {count} notices, the oldest first."
    return f"{count} notices about your cases", f"Hello,\n\n{head}\n\n{lines}\n"


def _is_due(facts: Mapping[str, JsonValue], by: datetime) -> bool:
    dues = (facts.get(name) for name in ("due_at", "next_due_at"))
    return any(isinstance(due, str) and datetime.fromisoformat(due) <= by for due in dues)
