"""How clocks are spoken of, in Chinese and English: names, spans, instants, reasons."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import NamedTuple

from shared.events.words import ClockKind, Segment, Tier


class Both(NamedTuple):
    """The same words in both languages."""

    zh: str
    en: str


NAMES: Mapping[str, Both] = {
    ClockKind.ACKNOWLEDGE: Both("确认收到", "Acknowledgement"),
    ClockKind.ASSIGN: Both("分派负责人", "Assigning an owner"),
    ClockKind.FIRST_REPLY: Both("首次答复", "First reply"),
    ClockKind.NEXT_UPDATE: Both("定期更新", "Next update to the customer"),
    ClockKind.DEPARTMENT_CONTACT: Both("部门首次联系客户", "The department's first contact"),
    ClockKind.DEPARTMENT_ANSWER: Both("部门答复", "The department's answer"),
    ClockKind.PROPOSE: Both("提出方案", "Proposal"),
    ClockKind.APPROVE: Both("审批", "Approval"),
    ClockKind.CARRY_OUT: Both("开始执行", "Beginning to carry it out"),
    ClockKind.RESOLVE: Both("解决", "Resolution"),
    ClockKind.FOLLOW_UP: Both("回访", "Follow-up"),
    ClockKind.PROMISE: Both("对客户的承诺", "A promise to the customer"),
}

PAUSES: Mapping[str, Both] = {
    "request-information": Both("等待客户答复", "waiting for the customer"),
    "propose": Both("等待客户对方案的答复", "waiting for the answer to our proposal"),
    "accept": Both("正在执行方案", "the proposal is being carried out"),
    "decline": Both("正在重新调查", "it is being looked into again"),
    "start-investigation": Both("正在调查", "it is being investigated"),
    "assign": Both("已分派，尚未开始", "assigned, and not begun yet"),
    "resolve": Both("已解决，等待回访", "resolved, to be followed up"),
    "reopen": Both("重新处理", "taken up again"),
    "receive-information": Both("客户已答复", "the customer has answered"),
    "no-answer": Both("客户未答复", "the customer did not answer"),
    "escalation": Both("升级时正在暂停", "it stood still when the case went up"),
}
"""Why a clock stands still: what brought the case into the state in which it does."""

HALVED: Mapping[str, Both] = {
    Tier.STANDARD: Both("普通客户", "a standard one"),
    Tier.SILVER: Both("银卡客户", "a silver one"),
    Tier.GOLD: Both("金卡客户", "a gold one"),
    Tier.VIP: Both(" VIP 客户", "a VIP"),
    Segment.FIRST_TIME: Both("首次投诉的客户", "complaining for the first time"),
    Segment.ORDINARY: Both("普通投诉客户", "an ordinary one"),
    Segment.GOODWILL: Both("善意客户", "one of goodwill"),
    Segment.HIGH_FREQUENCY: Both("高频投诉客户", "complaining often"),
    Segment.PREVIOUSLY_ESCALATED: Both("曾经升级投诉的客户", "one who went over our head before"),
    Segment.PROFESSIONAL_CLAIMANT: Both("职业索赔人", "a professional claimant"),
    Segment.ABUSIVE: Both("有辱骂行为的客户", "one who was abusive"),
}
"""Whose targets are half: tiers and segments."""

_SPANS: Mapping[str, Both] = {
    "every hour counts": Both("每小时都计", "every hour counts"),
    "working hours": Both("工作时间", "working hours"),
    "outside working hours": Both("非工作时间", "outside working hours"),
    "weekend": Both("周末", "weekend"),
    "holiday": Both("节假日", "holiday"),
    "made-up working day": Both("调休上班日", "made-up working day"),
}


def span_reason(why: str) -> Both:
    """Return why the calendar counts a span or not: `holiday: 国庆节` is told with its name."""
    known, _, name = why.partition(": ")
    words = reason_of(_SPANS, known)
    return Both(f"{words.zh}：{name}", f"{words.en}: {name}") if name else words


CHANGES: Mapping[str, Both] = {
    "regrade": Both("投诉重新定级", "the complaint was graded anew"),
    "escalation": Both("升级后时限缩短", "the case was escalated"),
    "extension": Both("获准延期", "an extension was granted"),
    "delay-promise": Both("告知客户新的时间", "the customer was given a new time"),
    "calendar": Both("工作日历有变", "the calendar changed"),
}

_UNITS = (
    (86400, Both("天", "day")),
    (3600, Both("小时", "hour")),
    (60, Both("分钟", "minute")),
    (1, Both("秒", "second")),
)
_YEAR, _MONTH = 31_536_000, 2_628_000


def name_of(kind: str) -> Both:
    """Return what a clock is called; one that has no name here is called by its kind."""
    return NAMES.get(kind) or Both(kind, kind)


def reason_of(table: Mapping[str, Both], code: str) -> Both:
    """Return the words for a reason's code; one that has none is told as it is."""
    return table.get(code) or Both(code, code.replace("-", " "))


def span(seconds: float) -> Both:
    """Write a length of time in its largest unit and the next: `3 hours 20 minutes`."""
    left = int(seconds)
    for place, (size, unit) in enumerate(_UNITS):
        count, rest = divmod(left, size)
        if not count:
            continue
        told = [_counted(count, unit)]
        if place + 1 < len(_UNITS):
            smaller, smaller_unit = _UNITS[place + 1]
            told += [_counted(rest // smaller, smaller_unit)] if rest >= smaller else []
        return Both(" ".join(one.zh for one in told), " ".join(one.en for one in told))
    return Both("0 秒", "no time")


def elapsed(seconds: float) -> Both:
    """Write how much time has passed: from a year on in years and months.

    A length that somebody set stays in days (`span`): a limit of 400 days is not a year and a bit.
    """
    years, rest = divmod(int(seconds), _YEAR)
    if not years:
        return span(seconds)
    months, told = rest // _MONTH, [_counted(years, Both("年", "year"))]
    told += [_counted(months, Both("个月", "month"))] if months else []
    return Both(" ".join(one.zh for one in told), " ".join(one.en for one in told))


def _counted(count: int, unit: Both) -> Both:
    return Both(f"{count} {unit.zh}", f"{count} {unit.en}{'' if count == 1 else 's'}")


def working_span(seconds: float, day_seconds: int) -> Both:
    """Write a length of working time, in working days where it is whole ones."""
    days, rest = divmod(seconds, day_seconds)
    if days and not rest:
        many = "" if days == 1 else "s"
        return Both(f"{days:.0f} 个工作日", f"{days:.0f} working day{many}")
    hours = span_in_hours(seconds)
    return Both(f"{hours.zh}工作时间", f"{hours.en} of working time")


def span_in_hours(seconds: float) -> Both:
    """Write a length of time in hours and minutes: a working day is no day of the calendar."""
    hours, rest = divmod(int(seconds), 3600)
    minutes = rest // 60
    zh = [f"{hours} 小时"] if hours else []
    en = [f"{hours} hour{'' if hours == 1 else 's'}"] if hours else []
    if minutes or not hours:
        zh.append(f"{minutes} 分钟")
        en.append(f"{minutes} minute{'' if minutes == 1 else 's'}")
    return Both(" ".join(zh), " ".join(en))


_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def instant(at: datetime, zone: tzinfo) -> Both:
    """Write a moment as people in `zone` read it: `11月23日 12:00`, `23 Nov 2026, 12:00`."""
    local = at.astimezone(zone)
    return Both(
        f"{local.year}年{local.month}月{local.day}日 {local:%H:%M}",
        f"{local.day} {_MONTHS[local.month - 1]} {local.year}, {local:%H:%M}",
    )
