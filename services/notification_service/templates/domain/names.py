"""What clocks, steps and causes are called, and what a next step promises to the customer."""

from __future__ import annotations

from services.notification_service.templates.domain.scene import Locale

_NAMES: dict[str, tuple[str, str]] = {
    "acknowledge": ("确认收到", "acknowledgement"),
    "assign": ("分派负责人", "assigning an owner"),
    "first_reply": ("首次答复", "first reply"),
    "propose": ("提出方案", "proposal"),
    "resolve": ("解决", "resolution"),
    "follow_up": ("回访", "follow-up"),
    "receive-information": ("等客户补充", "the customer's answer"),
    "decision": ("主管决定", "a supervisor's decision"),
    "breach": ("超时", "a missed deadline"),
    "clock_breached": ("超时", "a missed deadline"),
    "manual": ("人工升级", "a person's decision"),
    "requested": ("人工升级", "a person's decision"),
    "customer_asked": ("客户要求", "the customer asked for it"),
    "declined_twice": ("客户两次未接受方案", "the customer declined twice"),
    "third_handover": ("多次转手", "the third hand-over"),
    "repeat": ("重复投诉", "a repeated complaint"),
}

# What the customer may expect by when. A next step that is not ours promises nothing.
_PROMISES: dict[str, tuple[str, str]] = {
    "assign": ("我们会在{at}前为您安排专人。", "You will have one of us to turn to by {at}."),
    "first_reply": ("我们会在{at}前给您答复。", "You will hear from us by {at}."),
    "propose": ("我们会在{at}前给您解决方案。", "You will have our proposal by {at}."),
    "resolve": ("我们会在{at}前办好。", "We will have this settled by {at}."),
}


def promise_of(next_step: str | None, at: str | None, locale: Locale) -> str | None:
    """Return the sentence that says what we do by when, None where there is nothing to promise."""
    words = _PROMISES.get(next_step or "")
    if words is None or at is None:
        return None
    return (words[0] if locale == "zh-CN" else words[1]).format(at=at)


def name_of(code: str | None, locale: Locale) -> str | None:
    """Return the words for a code; a code that has none yet is said as it is, with spaces."""
    if code is None:
        return None
    words = _NAMES.get(code)
    if words is None:
        return code.replace("_", " ").replace("-", " ")
    return words[0] if locale == "zh-CN" else words[1]
