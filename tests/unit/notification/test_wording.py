"""Every row of the routing table, as a person gets it, in both languages.

`REDRESS_UPDATE_GOLDEN=1` writes the files anew; then read them before you commit them.
"""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from services.notification_service.messages.domain.routing import Route
from services.notification_service.messages.domain.words import About, Kind, about_of
from services.notification_service.messages.repository.routing import packaged_table
from services.notification_service.templates.domain.samples import samples_of, whole_scene
from services.notification_service.templates.domain.scene import CannotRender, Locale, Scene
from services.notification_service.templates.domain.sms import measure
from services.notification_service.templates.service import LOCALES, Templates
from services.notification_service.templates.service.checking import language_faults, reading_faults
from services.notification_service.templates.service.toning import tone_faults
from shared.events.words import MessageChannel

GOLDEN = Path(__file__).parent / "golden"
TEMPLATES = Templates(zone=ZoneInfo("Asia/Shanghai"), company="Redress")
DUE = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
NEVER = {
    "zh-CN": ("如果是我们的问题", "会被处理", "给您带来不便", "敬请谅解", "一分钱", "绝对不可能"),
    "en": ("if we ", "if you feel", "any inconvenience", "will be processed", "unfortunately"),
}
ROWS = tuple(packaged_table().rows.values())
SPECIAL: dict[str, dict[str, object]] = {
    "second_complaint": {"into_number": "4M2T-8HXC-5"},
    "promise_broken_owner": {"clock": "promise"},
    "declined_to_owner": {"chosen": None},
    "staff_incident": {"leads": True},
}
"""What the fact behind a row makes different from other messages of its kind."""


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("row", ROWS)
def test_a_message_reads_as_it_was_approved(row: Route, locale: Locale) -> None:
    given = whole_scene(row.kind, locale).model_copy(update=SPECIAL.get(row.name, {}))

    sms = TEMPLATES.render(row.kind, locale, MessageChannel.SMS, given)
    mail = TEMPLATES.render(row.kind, locale, MessageChannel.EMAIL, given)

    length = measure(sms.text)
    text = (
        f"SMS ({length.encoding}, {length.units}, {length.segments})\n{sms.text}\n\n"
        f"E-MAIL\n{mail.subject}\n\n{mail.text}"
    )
    path = GOLDEN / locale / f"{row.name}.txt"
    if os.environ.get("REDRESS_UPDATE_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("locale", LOCALES)
def test_no_message_was_approved_that_is_never_sent(locale: Locale) -> None:
    approved = {path.stem for path in (GOLDEN / locale).iterdir()}

    assert approved == {row.name for row in ROWS}


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("kind", Kind)
def test_our_own_wordings_keep_to_what_we_ask_of_others(kind: Kind, locale: Locale) -> None:
    source = TEMPLATES.source(kind, locale)
    assert source is not None

    place = (kind, locale)
    faults = (
        language_faults(source)
        or reading_faults(TEMPLATES, source, place, samples_of(kind, locale))
        or tone_faults(TEMPLATES, source, place)
    )

    assert not faults


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("kind", Kind)
def test_no_wording_evades_or_apologises_with_an_if(kind: Kind, locale: Locale) -> None:
    mail = TEMPLATES.render(kind, locale, MessageChannel.EMAIL, whole_scene(kind, locale))

    assert not [phrase for phrase in NEVER[locale] if phrase in mail.text.lower()]


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("channel", MessageChannel)
@pytest.mark.parametrize("kind", Kind)
def test_a_message_can_be_written_where_little_is_known(
    kind: Kind, channel: MessageChannel, locale: Locale
) -> None:
    staff = kind.startswith(("staff_", "operator_"))
    signal = about_of(kind) is not About.COMPLAINT
    known = "17" if signal else "7K3F-9Q2M-X"
    sparse = Scene(
        number=None if signal else known,
        count=17 if signal else None,
        category="other" if signal else None,
        since=DUE if signal else None,
        until=DUE if signal else None,
        tracking_url="http://127.0.0.1:8000/track/x",
        due_at=DUE if staff else None,
        clock="a_new_clock" if staff else None,
        cause="a_new_cause" if staff else None,
        level=1 if staff else None,
    )

    rendered = TEMPLATES.render(kind, locale, channel, sparse)

    assert known in rendered.text
    assert "None" not in rendered.text + (rendered.subject or "")


def test_what_a_customer_wrote_is_never_a_template_nor_html() -> None:
    nasty = whole_scene(Kind.ACKNOWLEDGEMENT, "en").model_copy(
        update={"description": "{{ 7 * 7 }} <script>alert(1)</script>\r\nBcc: x@example.com"}
    )

    mail = TEMPLATES.render(Kind.ACKNOWLEDGEMENT, "en", MessageChannel.EMAIL, nasty)

    assert "{{ 7 * 7 }}" in mail.text
    assert "<script>" not in (mail.html or "")
    assert "\n" not in (mail.subject or "")


def test_a_kind_without_a_wording_is_named() -> None:
    with pytest.raises(CannotRender, match=r"en/birthday\.j2"):
        TEMPLATES.render("birthday", "en", MessageChannel.SMS, Scene(number="n"))


@pytest.mark.parametrize("locale", LOCALES)
def test_the_receipt_of_a_second_complaint_names_the_one_it_was_added_to(locale: Locale) -> None:
    given = whole_scene(Kind.ACKNOWLEDGEMENT, locale).model_copy(
        update={"into_number": "4M2T-8HXC-5"}
    )

    sms = TEMPLATES.render(Kind.ACKNOWLEDGEMENT, locale, MessageChannel.SMS, given)
    mail = TEMPLATES.render(Kind.ACKNOWLEDGEMENT, locale, MessageChannel.EMAIL, given)

    assert "4M2T-8HXC-5" in sms.text
    assert "4M2T-8HXC-5" in mail.text
    assert "7K3F-9Q2M-X" in mail.text


@pytest.mark.parametrize(
    ("locale", "timezone", "said"),
    [
        ("en", None, "by Tue 24 Nov, 16:00."),
        ("en", "America/Los_Angeles", "by Tue 24 Nov, 00:00 (Los Angeles time)."),
        ("en", "Asia/Singapore", "by Tue 24 Nov, 16:00."),
        ("zh-CN", "Europe/London", "11月24日（周二）08:00（伦敦时间）前"),
    ],
)
def test_times_are_told_by_the_readers_clock_and_say_so_where_it_shows_another_hour(
    locale: Locale, timezone: str | None, said: str
) -> None:
    given = whole_scene("assigned", locale).model_copy(update={"timezone": timezone})

    sms = TEMPLATES.render("assigned", locale, MessageChannel.SMS, given).text

    assert said in sms
    named = TEMPLATES.values(locale, given)["next_due_at"]
    assert named in said, "vendors' approved wordings get the same time"


@pytest.mark.parametrize(
    ("locale", "said"),
    [
        ("en", "by Tue 24 Nov, 16:00 (Shanghai time)."),
        ("zh-CN", "11月24日（周二）16:00（北京时间）前"),
    ],
)
def test_who_may_be_elsewhere_is_told_that_times_are_the_companys(
    locale: Locale, said: str
) -> None:
    given = whole_scene("assigned", locale).model_copy(update={"names_zone": True})

    sms = TEMPLATES.render("assigned", locale, MessageChannel.SMS, given).text

    assert said in sms
    assert TEMPLATES.values(locale, given)["next_due_at"] in said


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("end", ["", "。", ".", "！"])
@pytest.mark.parametrize("kind", [k for k in TEMPLATES.kinds if not k.startswith("staff_")])
def test_what_somebody_wrote_is_never_followed_by_two_marks(
    kind: str, end: str, locale: Locale
) -> None:
    given = whole_scene(kind, locale)
    written = {
        "text": f"XX{end}",
        "options": [o.model_copy(update={"text": f"YY{end}"}) for o in given.options],
    }

    sms = TEMPLATES.render(kind, locale, MessageChannel.SMS, given.model_copy(update=written)).text
    mail = TEMPLATES.render(
        kind, locale, MessageChannel.EMAIL, given.model_copy(update=written)
    ).text

    assert not re.search(r"(XX|YY)[”\"]?([。.！，；;]{2}|[。.！] ?[（(])", sms + mail)
    assert not re.search(r"XX (We|Please|Not|If|余|我|请|不)", sms), (
        "a sentence ends before the next"
    )


@pytest.mark.parametrize(
    ("clock", "locale", "said"),
    [
        ("propose", "zh-CN", "前给您解决方案。"),
        ("resolve", "zh-CN", "前办好。"),
        ("cn-telecoms.reply", "zh-CN", "前给您答复。"),
        ("propose", "en", "you will have our proposal by"),
        ("resolve", "en", "we will have it settled by"),
        ("cn-telecoms.reply", "en", "you will have our answer by"),
    ],
)
def test_more_time_says_what_the_new_time_is_for(clock: str, locale: Locale, said: str) -> None:
    given = whole_scene("extended", locale).model_copy(update={"clock": clock})

    assert said in TEMPLATES.render("extended", locale, MessageChannel.SMS, given).text


@pytest.mark.parametrize(("locale", "new"), [("zh-CN", "新的解决方案"), ("en", "Our new proposal")])
def test_a_second_proposal_is_not_told_like_a_first(locale: Locale, new: str) -> None:
    first = whole_scene("proposal", locale)

    once, again = [
        TEMPLATES.render("proposal", locale, MessageChannel.EMAIL, scene)
        for scene in (first, first.model_copy(update={"occurrence": 2}))
    ]

    assert new not in (once.subject or "")
    assert new in (again.subject or "")
    assert (
        "谢谢您给我们时间" if locale == "zh-CN" else "for the time you gave us"
    ) not in again.text
