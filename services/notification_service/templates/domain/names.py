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
    "next_update": ("定期更新", "the next update"),
    "department_contact": ("部门首次联系客户", "the department's first contact"),
    "department_answer": ("部门答复", "the department's answer"),
    "approve": ("审批", "approval"),
    "carry_out": ("开始执行", "carrying it out"),
    "promise": ("对客户的承诺", "a promise to the customer"),
    "receive-information": ("等客户补充", "the customer's answer"),
    "decision": ("主管决定", "a supervisor's decision"),
    "notice": ("送达证明", "proof that the customer was told"),
    "breach": ("超时", "a missed deadline"),
    "clock_breached": ("超时", "a missed deadline"),
    "manual": ("人工升级", "a person's decision"),
    "requested": ("人工升级", "a person's decision"),
    "customer_asked": ("客户要求", "the customer asked for it"),
    "declined_twice": ("客户两次未接受方案", "the customer declined twice"),
    "third_handover": ("多次转手", "the third hand-over"),
    "repeat": ("同一件事再次投诉", "a second complaint about the same matter"),
    "handovers": ("多次转手", "the third hand-over"),
    "declines": ("客户两次未接受方案", "the customer declined twice"),
    "final_refused": ("客户不接受最终方案", "the customer refused the final offer"),
    "customer": ("客户要求", "the customer asked for it"),
    "outward": ("客户提到要向外投诉", "words that point outside"),
    "supervision": ("客户找到监督渠道", "the customer came by the supervision channel"),
    "regulator": ("监管部门转来", "it came from a regulator"),
    "media": ("媒体转来", "it came from the media"),
    "emergency": ("紧急情况", "an emergency"),
    "unanswered": ("客户没有填写满意度评价", "the survey was not answered"),
    "unreachable": ("评价邀请无法送达", "no survey could be sent"),
    "asked": ("客户希望我们打电话", "the customer wants to be called"),
    "agreed": ("到了与客户约定的时间", "the time that was agreed on has come"),
    "low_score": ("客户不满意", "the customer was not satisfied"),
    "unassigned": ("无人负责", "nobody was in charge"),
}

# What the customer may expect by when. A next step that is not ours promises nothing.
_PROMISES: dict[str, tuple[str, str]] = {
    "assign": ("我们会在{at}前为您安排专人。", "You will have one of us to turn to by {at}."),
    "first_reply": ("我们会在{at}前给您答复。", "You will hear from us by {at}."),
    "propose": ("我们会在{at}前给您解决方案。", "You will have our proposal by {at}."),
    "resolve": ("我们会在{at}前办好。", "We will have this settled by {at}."),
    "carry_out": ("我们会在{at}前开始办。", "We will have begun on it by {at}."),
    "promise": ("答应您的事会在{at}前办好。", "What we promised you will be done by {at}."),
}

# Where things stand, for who waits; a state that says nothing new has the words of all others.
_STANDING: dict[str, tuple[str, str]] = {
    "assigned": ("专人已经接手。", "Somebody is in charge of it."),
    "investigating": ("我们还在查清经过。", "We are still finding out what happened."),
    "awaiting_customer": (
        "我们在等您补充情况，上一封消息里写了是什么。",
        "We are waiting for what we asked you; it stands in our last message.",
    ),
    "proposed": (
        "我们提出的方案在等您的答复。",
        "Our proposal waits for your answer.",
    ),
    "executing": ("商定的事正在办。", "What we agreed is being carried out."),
}
_STANDING_ELSE = ("我们正在跟进。", "We are seeing to it.")


def standing_of(state: str | None, locale: Locale) -> str:
    """Return the sentence that says where a complaint stands."""
    words = _STANDING.get(state or "", _STANDING_ELSE)
    return words[0] if locale == "zh-CN" else words[1]


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
