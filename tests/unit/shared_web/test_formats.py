"""Instants, spans and numbers in both languages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import shared.web
from shared.kernel.clock import ManualClock
from shared.web.formats import Formats
from shared.web.i18n import LANGUAGES, load_catalogue, match

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
LOCALE = Path(shared.web.__file__).parent / "locale"


def _formats(tag: str) -> Formats:
    words = load_catalogue([LOCALE] if tag == "zh-CN" else [])
    return Formats(LANGUAGES[tag], ZoneInfo("Asia/Shanghai"), ManualClock(NOW), words)


@pytest.mark.parametrize(
    ("seconds", "chinese", "english"),
    [
        (0, "0 秒", "0 seconds"),
        (1, "1 秒", "1 second"),
        (59, "59 秒", "59 seconds"),
        (60, "1 分钟", "1 minute"),
        (3 * 3600, "3 小时", "3 hours"),
        (2 * 86400 + 7 * 3600, "2 天 7 小时", "2 days 7 hours"),
        (5 * 86400 + 7 * 3600, "5 天", "5 days"),
        (400 * 86400, "1 年 1 个月", "1 year 1 month"),
        (None, "–", "–"),
    ],
)
def test_a_span_is_written_in_its_largest_unit(
    seconds: int | None, chinese: str, english: str
) -> None:
    assert (_formats("zh-CN").span(seconds), _formats("en").span(seconds)) == (chinese, english)


def test_what_took_less_than_a_second_is_not_told_as_nothing() -> None:
    assert (_formats("zh-CN").took(0.4), _formats("en").took(0.0)) == (
        "<\xa01\xa0秒",
        "<\xa01\xa0s",
    )
    assert _formats("en").took(None) == "–"


def test_how_long_something_took_breaks_between_units_only() -> None:
    seconds = 2 * 86400 + 7 * 3600

    assert _formats("en").took(seconds) == "2\xa0days 7\xa0hours"
    assert _formats("zh-CN").took(seconds) == "2\xa0天 7\xa0小时"


def test_a_due_time_says_what_is_left_or_how_late() -> None:
    soon, past = NOW + timedelta(hours=3), NOW - timedelta(days=3)

    assert (_formats("zh-CN").due(soon), _formats("en").due(soon)) == (
        "还剩 3 小时",
        "3 hours left",
    )
    assert (_formats("zh-CN").due(past), _formats("en").due(past)) == ("已逾期 3 天", "3 days late")


def test_what_happened_is_told_by_how_long_ago() -> None:
    assert _formats("en").ago(NOW - timedelta(minutes=5)) == "5 minutes ago"
    assert _formats("zh-CN").ago("2026-11-22T07:55:00Z") == "5 分钟前"
    assert _formats("zh-CN").ago(NOW) == "刚刚"


def test_an_instant_is_written_in_the_readers_zone_with_the_exact_one_on_hover() -> None:
    assert _formats("zh-CN").datetime(NOW) == "2026年11月22日 16:00"
    assert str(_formats("en").time_tag(NOW)) == (
        '<time datetime="2026-11-22T08:00:00Z"'
        ' title="2026-11-22 16:00:00 CST · 2026-11-22T08:00:00Z">22 Nov 2026, 16:00</time>'
    )


def test_numbers_are_written_as_the_language_does() -> None:
    formats = _formats("zh-CN")

    assert formats.number(24503) == "24,503"
    assert formats.percent(0.9344) == "93.4%"
    assert formats.money("12.50") == "¥12.50"


@pytest.mark.parametrize(
    ("tag", "expected"),
    [("zh", "zh-CN"), ("zh-Hans-CN", "zh-CN"), ("en_US", "en"), ("fr", None), ("", None)],
)
def test_a_language_tag_finds_its_language(tag: str, expected: str | None) -> None:
    assert match(tag) == expected
