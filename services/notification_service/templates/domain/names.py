"""What clocks, steps and causes are called in messages to staff."""

from __future__ import annotations

from services.notification_service.templates.domain.scene import Locale

_NAMES: dict[str, tuple[str, str]] = {
    "acknowledge": ("确认收到", "acknowledgement"),
    "assign": ("分派负责人", "assigning an owner"),
    "first_reply": ("首次答复", "first reply"),
    "propose": ("提出方案", "proposal"),
    "resolve": ("解决", "resolution"),
    "follow_up": ("回访", "follow-up"),
    "breach": ("超时", "a missed deadline"),
    "clock_breached": ("超时", "a missed deadline"),
    "manual": ("人工升级", "a person's decision"),
    "requested": ("人工升级", "a person's decision"),
    "customer_asked": ("客户要求", "the customer asked for it"),
    "declined_twice": ("客户两次未接受方案", "the customer declined twice"),
    "third_handover": ("多次转手", "the third hand-over"),
    "repeat": ("重复投诉", "a repeated complaint"),
}


def name_of(code: str | None, locale: Locale) -> str | None:
    """Return the words for a code; a code that has none yet is said as it is, with spaces."""
    if code is None:
        return None
    words = _NAMES.get(code)
    if words is None:
        return code.replace("_", " ")
    return words[0] if locale == "zh-CN" else words[1]
