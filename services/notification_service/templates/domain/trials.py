"""What is sent to try a wording: to which address, and how it is told from the real thing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from services.notification_service.templates.domain.language import Fault
from services.notification_service.templates.domain.scene import Locale, Rendered
from shared.events.words import MessageChannel

_PHONE = re.compile(r"\+[1-9]\d{6,14}")
_EMAIL = re.compile(r"[^\s@,;<>\"]{1,64}@[^\s@,;<>\"]{1,190}")
_MARK: dict[Locale, str] = {"zh-CN": "【测试】", "en": "[TEST] "}


@dataclass(frozen=True, slots=True)
class Preview:
    """A wording in one scene, and what keeps it from speaking."""

    sms: Rendered
    email: Rendered
    scene: str
    faults: Sequence[Fault]


def trial_address(channel: MessageChannel, given: str) -> str | None:
    """Return an address as gateways take it, None for one that is none on this channel."""
    if channel is MessageChannel.SMS:
        compact = re.sub(r"[\s()-]", "", given)
        return compact if _PHONE.fullmatch(compact) else None
    return given.strip() if _EMAIL.fullmatch(given.strip()) else None


def marked_as_test(message: Rendered, locale: Locale) -> Rendered:
    """Return a message that says first of all that it is a test."""
    mark = _MARK[locale]
    if message.subject is None:
        return message.model_copy(update={"text": mark + message.text})
    return message.model_copy(update={"subject": mark + message.subject})
