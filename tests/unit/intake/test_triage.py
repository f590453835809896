"""The first classification of a complaint, by the rules that come with the project."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from services.intake_service.triage.domain.classification import Classification, Reason
from services.intake_service.triage.domain.language import detect_language
from services.intake_service.triage.service import OWN_TAXONOMY, Triage
from shared.events.words import Motive, Priority, Severity, Urgency
from shared.kernel.errors import ConfigurationError

TRIAGE = Triage.load()


def classify(
    description: str,
    *,
    category: str | None = None,
    channel: str = "web",
    tier: str = "standard",
    demands: Sequence[str] = (),
) -> Classification:
    return TRIAGE.classify(
        description=description,
        category=category,
        channel=channel,
        tier=tier,
        demands=demands,
        locale=None,
    )


def test_triage_grades_the_example_of_the_interface() -> None:
    found = classify(
        "周三收到的订单少了两件,客服一直推诿,再不处理我就打12315。",
        category="logistics.short",
        tier="gold",
        demands=["re_send", "apology"],
    )

    assert found.category == found.suggested_category == "logistics.short"
    assert found.decided_by == "sender"
    assert (found.severity, found.urgency) == (Severity.MODERATE, Urgency.HIGH)
    assert found.priority is Priority.P2
    assert found.motive is Motive.COMPENSATION
    assert found.language == "zh"
    assert found.reasons[0] == Reason("outward-threat", "12315", "urgency high")


@pytest.mark.parametrize(
    ("description", "category"),
    [
        ("I was charged twice for the same order.", "billing.overcharge"),
        ("My parcel never arrived, tracking says delivered.", "logistics.lost"),
        ("The courier was rude and hung up on me.", "service.attitude"),
        ("快递盒子压坏了,里面的杯子碎了", "logistics.damaged"),
        ("订单里少了一包纸巾", "logistics.short"),
        ("收到的牛奶已过期", "product.expired"),
        ("发错货了,我买的是黑色", "logistics.wrong_item"),
        ("你们泄露我的电话,天天有人推销", "privacy.leak"),
        ("吃完以后上吐下泻", "safety.illness"),
        ("嗯", "other"),
        ("My parcel arrived two days late.", "logistics.late"),
        ("The order was delivered five days late.", "logistics.late"),
        ("My order is late.", "logistics.late"),
        ("The package has not been delivered yet.", "logistics.late"),
        ("The yoghurt had expired.", "product.expired"),
        ("The phone does not turn on.", "product.function"),
        ("扣了我两次钱", "billing.overcharge"),
        ("实物和图片颜色不一样", "product.not_as_described"),
        ("我的手机号被泄露了", "privacy.leak"),
        ("退款两个月没有到账，要求退款和赔偿。", "billing.refund"),
        ("工资卡转账没有到账", "account.transaction"),
        ("I opened the parcel later.", "other"),
    ],
)
def test_triage_suggests_the_category_that_the_words_name(description: str, category: str) -> None:
    assert classify(description).suggested_category == category


@pytest.mark.parametrize(
    "description",
    [
        "The blender sparks and smells of burning when I turn it on. I want my money back.",
        "插座冒火花,有烧焦的味道,我要退款",
    ],
)
def test_what_may_burn_is_a_danger_whatever_else_is_asked_for(description: str) -> None:
    found = classify(description)

    assert found.suggested_category == "safety.hazard"
    assert (found.severity, found.priority) == (Severity.CRITICAL, Priority.P1)


def test_triage_keeps_the_senders_category_beside_its_own_opinion() -> None:
    found = classify("快递员态度恶劣,骂人", category="logistics.late")

    assert (found.category, found.decided_by) == ("logistics.late", "sender")
    assert found.suggested_category == "service.attitude"


@pytest.mark.parametrize(
    ("description", "evidence"),
    [
        ("再这样我就去12345投诉", "12345"),
        ("等着上3·15吧", "3·15"),
        ("我会找律师", "律师"),
        ("我们准备联名上访", "联名"),
        ("I will file with the CFPB tomorrow", "cfpb"),
        ("My lawyer will be in touch", "lawyer"),
        ("I am going to expose you online", "expose you online"),
        ("See you in small claims", "small claims"),
    ],
)
def test_triage_hears_a_threat_to_go_outside(description: str, evidence: str) -> None:
    found = classify(description)

    assert found.urgency is Urgency.HIGH
    assert Reason("outward-threat", evidence, "urgency high") in found.reasons


@pytest.mark.parametrize(
    "description", ["孩子喝了以后中毒送医", "The charger caught fire", "I was injured by the blade"]
)
def test_triage_takes_bodily_harm_and_danger_for_critical(description: str) -> None:
    found = classify(description)

    assert (found.severity, found.priority) == (Severity.CRITICAL, Priority.P1)


@pytest.mark.parametrize("description", ["The box fell but nobody was injured", "还好没有受伤"])
def test_triage_does_not_take_a_denied_injury_for_one(description: str) -> None:
    found = classify(description, category="logistics.late")

    assert found.severity is Severity.MINOR


def test_triage_matches_latin_phrases_as_whole_words() -> None:
    assert classify("The pill has skills, a fcce and a mediator").suggested_category == "other"
    assert classify("BBBQ at noon").urgency is Urgency.NORMAL


def test_triage_lifts_the_priority_by_tier_channel_and_risk() -> None:
    plain = classify("屏幕黑屏")

    assert plain.priority is Priority.P3
    assert classify("屏幕黑屏", tier="vip").priority is Priority.P2
    assert classify("屏幕黑屏", channel="media").priority is Priority.P1
    assert classify("屏幕黑屏,全体业主都这样").priority is Priority.P2
    assert classify("发货慢").priority is Priority.P4
    assert classify("发货慢", tier="gold").priority is Priority.P3


def test_triage_reads_the_motive_from_demands_before_words() -> None:
    assert classify("建议改进", demands=["refund"]).motive is Motive.COMPENSATION
    assert classify("建议你们改进流程").motive is Motive.IMPROVEMENT
    assert classify("必须道歉,给个说法").motive is Motive.RESPECT
    assert classify("太过分了,黑心").motive is Motive.VENT
    assert classify("到货了").motive is None


@pytest.mark.parametrize(
    ("text", "locale", "language"),
    [
        ("iPhone 14 Pro Max 黑屏", None, "en"),
        ("手机 iPhone 屏幕一直黑屏", None, "zh"),
        ("The seller 王芳 never answered me", None, "en"),
        ("Terrible 😡😡😡😡😡😡", None, "en"),
        ("12345 !!!", "en", "en"),
        ("12345 !!!", None, "zh"),
        ("退款!!!", "en", "zh"),
    ],
)
def test_language_is_told_by_script(text: str, locale: str | None, language: str) -> None:
    assert detect_language(text, locale) == language


def test_taxonomy_knows_its_codes_and_suggests_for_a_wrong_one() -> None:
    taxonomy = TRIAGE.taxonomy

    assert taxonomy.is_known("logistics.short")
    assert taxonomy.is_known("other")
    assert not taxonomy.is_known("logistics.shrt")
    assert taxonomy.suggest("logistics.shrt") == "logistics.short"
    assert taxonomy.suggest("overcharge") == "billing.overcharge"
    assert taxonomy.suggest("zzzzzz") is None
    assert taxonomy.label("logistics.short", "zh-CN") == "物流 · 短少"
    assert taxonomy.label("logistics.short", "en") == "Delivery · Short"


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("severity: moderate", "severity: mild", "line 19"),
        ("strong: [", "strnog: [", "strnog"),
        ("version: 1", "version: [1", "line"),
        ("immediate: P1}", "immediate: P9}", "priority.matrix.critical.immediate"),
    ],
)
def test_a_wrong_taxonomy_is_refused_with_its_line(
    tmp_path: Path, before: str, after: str, told: str
) -> None:
    wrong = tmp_path / "mine.yaml"
    text = OWN_TAXONOMY.read_text(encoding="utf-8").replace(before, after, 1)
    wrong.write_text(text, encoding="utf-8")

    with pytest.raises(ConfigurationError) as refused:
        Triage.load(wrong)

    assert "mine.yaml, line " in refused.value.detail
    assert told in refused.value.detail


def test_triage_looks_at_both_ends_of_a_long_text() -> None:
    found = classify("订单少了两件。" + "啊" * 19_000 + "不然我找律师。")

    assert found.suggested_category == "logistics.short"
    assert found.urgency is Urgency.HIGH
