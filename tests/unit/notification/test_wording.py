"""Every message of every kind, as a person gets it, in both languages.

`REDRESS_UPDATE_GOLDEN=1` writes the files anew; then read them before you commit them.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from services.notification_service.messages.domain.words import Kind
from services.notification_service.templates.domain.scene import (
    CannotRender,
    Locale,
    OfferedOption,
    Scene,
)
from services.notification_service.templates.domain.sms import measure
from services.notification_service.templates.service import LOCALES, Templates
from shared.events.words import MessageChannel

GOLDEN = Path(__file__).parent / "golden"
TEMPLATES = Templates(zone=ZoneInfo("Asia/Shanghai"), company="Redress")
DUE = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
NEVER = {
    "zh-CN": ("如果是我们的问题", "会被处理", "给您带来不便", "敬请谅解", "一分钱", "绝对不可能"),
    "en": ("if we ", "if you feel", "any inconvenience", "will be processed", "unfortunately"),
}
NEXT = {
    Kind.PROPOSAL: "resolve",
    Kind.STEP: "resolve",
    Kind.RESOLVED: "follow_up",
    Kind.CLOSED: None,
    Kind.REJECTED: None,
}
SAID = {
    "zh-CN": {
        "name": "王芳",
        "description": "周三收到的订单少了两件，客服一直推诿，再不处理我就打12315。",
        Kind.INFORMATION_REQUESTED: "请把外包装和面单的照片发给我们，好查是在哪一站少的。",
        Kind.PROPOSAL: "仓库在装箱时漏放了两件，是我们的错。",
        Kind.STEP: "补发的两件商品今天已经寄出。",
        Kind.RESOLVED: "缺的两件已经补发并签收，仓库加了装箱复核。",
        Kind.PROMISE: "24 小时内补发缺少的两件",
        Kind.PROMISE_KEPT: "24 小时内补发缺少的两件",
        Kind.PROMISE_DELAYED: "24 小时内补发缺少的两件",
        Kind.PROMISE_BROKEN: "24 小时内补发缺少的两件",
        Kind.STAFF_PROMISE_DELAYED: "24 小时内补发缺少的两件",
        Kind.REJECTED: "装箱录像和称重记录显示五件都在箱内，签收时封条完好。",
        "options": ("补发缺少的两件，明天寄出", "退还两件的货款"),
    },
    "en": {
        "name": "Ann Lee",
        "description": "Two items of Wednesday's order were missing, and support keeps stalling.",
        Kind.INFORMATION_REQUESTED: "Could you send us a photo of the parcel and its label?",
        Kind.PROPOSAL: "Our warehouse left two items out when it packed your order.",
        Kind.STEP: "We posted the two missing items today.",
        Kind.RESOLVED: "You have the two missing items, and we now check every parcel twice.",
        Kind.PROMISE: "we post the two missing items within 24 hours",
        Kind.PROMISE_KEPT: "we post the two missing items within 24 hours",
        Kind.PROMISE_DELAYED: "we post the two missing items within 24 hours",
        Kind.PROMISE_BROKEN: "we post the two missing items within 24 hours",
        Kind.STAFF_PROMISE_DELAYED: "we post the two missing items within 24 hours",
        Kind.REJECTED: "Weight and video show that all five items were in the sealed parcel.",
        "options": ("We post the two missing items tomorrow", "We refund the two items"),
    },
}


def scene(kind: Kind, locale: Locale) -> Scene:
    said = SAID[locale]
    first, second = said["options"]
    staff = kind.startswith("staff_") or kind is Kind.OPERATOR_ALERT
    return Scene(
        number="7K3F-9Q2M-X",
        name=None if staff else str(said["name"]),
        description=None if staff else str(said["description"]),
        tracking_url=None if staff else "http://127.0.0.1:8000/track/Vd0xk3oWmQxXb1sL",
        due_at=DUE,
        next_step=NEXT.get(kind, "propose"),
        next_due_at=DUE,
        text=str(said[kind]) if kind in said else None,
        reference="SF1234567890" if kind is Kind.STEP else None,
        outcome="solved",
        options=(
            OfferedOption(key="A", text=first),
            OfferedOption(key="B", text=second, amount="39.80 CNY"),
        ),
        category="logistics.short",
        priority="P2",
        clock="acknowledge" if kind is Kind.OPERATOR_ALERT else "first_reply",
        level=1,
        cause="breach",
        state="investigating",
        new_due_at=DUE + timedelta(days=1),
        into_number="4M2T-8HXC-5" if kind is Kind.STAFF_MERGED else None,
    )


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("kind", Kind)
def test_a_message_reads_as_it_was_approved(kind: Kind, locale: Locale) -> None:
    given = scene(kind, locale)

    sms = TEMPLATES.render(kind, locale, MessageChannel.SMS, given)
    mail = TEMPLATES.render(kind, locale, MessageChannel.EMAIL, given)

    length = measure(sms.text)
    text = (
        f"SMS ({length.encoding}, {length.units}, {length.segments})\n{sms.text}\n\n"
        f"E-MAIL\n{mail.subject}\n\n{mail.text}"
    )
    path = GOLDEN / locale / f"{kind}.txt"
    if os.environ.get("REDRESS_UPDATE_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("kind", Kind)
def test_no_wording_evades_or_apologises_with_an_if(kind: Kind, locale: Locale) -> None:
    mail = TEMPLATES.render(kind, locale, MessageChannel.EMAIL, scene(kind, locale))

    assert not [phrase for phrase in NEVER[locale] if phrase in mail.text.lower()]


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("channel", MessageChannel)
@pytest.mark.parametrize("kind", Kind)
def test_a_message_can_be_written_where_little_is_known(
    kind: Kind, channel: MessageChannel, locale: Locale
) -> None:
    staff = kind.startswith(("staff_", "operator_"))
    sparse = Scene(
        number="7K3F-9Q2M-X",
        tracking_url="http://127.0.0.1:8000/track/x",
        due_at=DUE if staff else None,
        clock="a_new_clock" if staff else None,
        cause="a_new_cause" if staff else None,
        level=1 if staff else None,
    )

    rendered = TEMPLATES.render(kind, locale, channel, sparse)

    assert "7K3F-9Q2M-X" in rendered.text
    assert "None" not in rendered.text + (rendered.subject or "")


def test_what_a_customer_wrote_is_never_a_template_nor_html() -> None:
    nasty = scene(Kind.ACKNOWLEDGEMENT, "en").model_copy(
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
    given = scene(Kind.ACKNOWLEDGEMENT, locale).model_copy(update={"into_number": "4M2T-8HXC-5"})

    sms = TEMPLATES.render(Kind.ACKNOWLEDGEMENT, locale, MessageChannel.SMS, given)
    mail = TEMPLATES.render(Kind.ACKNOWLEDGEMENT, locale, MessageChannel.EMAIL, given)

    assert "4M2T-8HXC-5" in sms.text
    assert "4M2T-8HXC-5" in mail.text
    assert "7K3F-9Q2M-X" in mail.text
