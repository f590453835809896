"""What is said of a clock in words: whatever happened, a lead must be able to believe it."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from services.workflow_service.cases.domain.actions import decide
from services.workflow_service.cases.domain.case import Case
from services.workflow_service.cases.domain.lifecycle import Action
from services.workflow_service.cases.domain.reactions import fire_due
from services.workflow_service.clocks.domain.clock import Clock
from services.workflow_service.clocks.domain.explanation import PAUSED, Reader, Span, explain
from services.workflow_service.clocks.domain.wording import Both
from shared.events.words import ClockKind
from tests.unit.workflow.rules import HASTY, RULES, command, opened
from tests.unit.workflow.steps import act, at, clocks_of, pass_time


def told(clock: Clock, now: datetime) -> Both:
    calendar = RULES.calendar(clock.calendar)
    zone, name = ZoneInfo("Asia/Shanghai"), RULES.name_of(clock)
    return explain(clock, Reader(calendar, calendar is not RULES.always, now, zone, name)).words


def test_what_was_in_time_but_told_after_the_breach_is_not_called_late() -> None:
    missed = pass_time(opened(), at(hours=4, minutes=5)).case
    now = at(hours=4, minutes=10)

    contact = command(Action.RECORD_CONTACT, at(hours=3, minutes=50))
    case = decide(missed, contact, now=now, rules=RULES).case

    words = told(clocks_of(case, ClockKind.FIRST_REPLY)[0], now)
    assert words.en.endswith(
        "Missed on record: due on 23 Nov 2026, 16:00. It was reached on 23 Nov 2026, 15:50, in "
        "time, but that was told only afterwards."
    )
    assert words.zh.endswith("其实2026年11月23日 15:50已完成，但到期后才登记。")


def second_clock(case: Case) -> Clock:
    up = act(case, Action.ESCALATE, minutes=5)
    return clocks_of(pass_time(up, at(days=3)).case, ClockKind.RESOLVE)[1]


def test_half_a_target_and_the_share_of_a_level_are_told_apart() -> None:
    words = told(second_clock(opened(tier="vip")), at(days=3))

    assert "Half the usual time, as the customer is a VIP. Level 2 leaves 50% of the" in words.en
    assert "因客户是 VIP 客户，按一半计。升级到第 2 级，只取通常时限的 50%。" in words.zh


def test_a_share_of_less_than_a_minute_is_told_to_be_none() -> None:
    change = fire_due(opened(rules=HASTY), now=at(minutes=2), rules=HASTY)
    assert change is not None

    first, second = clocks_of(change.case, ClockKind.FIRST_REPLY)
    words = told(second, at(minutes=2))

    assert "First reply: 1 minute (rule hasty of hasty" in words.en
    assert "leaves 1% of the usual target. Nothing is made shorter than a minute." in words.en
    assert "只取通常时限的 1%。但不会缩短到 1 分钟以内。" in words.zh
    assert "shorter" not in told(first, at(minutes=2)).en


@pytest.mark.parametrize(
    ("why", "zh", "en"),
    [
        ("working hours", "工作时间", "working hours"),
        ("holiday: 国庆节", "节假日：国庆节", "holiday: 国庆节"),
        ("made-up working day", "调休上班日", "made-up working day"),
        (
            PAUSED + "request-information",
            "暂停：等待客户答复",
            "stood still: waiting for the customer",
        ),
    ],
)
def test_every_span_says_why_it_counted_or_not_in_both_languages(
    why: str, zh: str, en: str
) -> None:
    assert Span(at(), at(hours=1), counted=False, why=why).words == Both(zh, en)
