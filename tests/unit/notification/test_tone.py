"""The tone check: what is found, what is left alone, and what counts as a duty done."""

from __future__ import annotations

import re
import time

import pytest

from services.notification_service.tone.domain.notation import translate
from services.notification_service.tone.domain.rulebook import RuleFile, compile_book
from services.notification_service.tone.domain.words import DUE, Duty, Purpose
from services.notification_service.tone.repository import rule_book
from services.notification_service.tone.schemas import LONGEST
from services.notification_service.tone.service import check
from shared.kernel.yaml_documents import InvalidDocument, read_yaml

BAD = [
    # The seeds of domain.md §6.
    ("连小孩子都知道", "belittling"),
    ("一分钱,一分货", "belittling"),
    ("绝对不可能有这种事发生", "absolute"),
    ("如果是我们的问题……", "conditional-apology"),
    ("问题会被处理", "passive-evasion"),
    ("我们很抱歉给您带来不便", "empty-formula"),
    # The same in other clothes.
    ("連小孩子都知道。", "belittling"),
    ("一分钱，一分货嘛", "belittling"),
    ("一分錢、一分貨", "belittling"),
    ("绝对 不可能 有这种事发生", "absolute"),
    ("绝对\u200b不可能有这种事", "absolute"),
    ("若确实是我司的责任，我们会处理", "conditional-apology"),
    ("如有不周之处，敬请见谅。", "conditional-apology"),
    ("如果给您带来不便，我们深表歉意。", "conditional-apology"),
    ("您的问题将会得到妥善解决。", "passive-evasion"),
    ("稍后会有工作人员联系您。", "passive-evasion"),
    ("给您造成的不便，我们深表歉意！", "empty-formula"),
    ("您好！感谢您的来信。对此给您带来的困扰，我们表示诚挚的歉意。", "empty-formula"),
    ("我们高度重视您的反馈。", "empty-formula"),
    ("不便之处，敬请谅解。", "asks-for-pardon"),
    ("我们会尽快处理。", "vague-time"),
    ("请您耐心等待。", "vague-time"),
    ("已转交相关部门处理。", "nobody-named"),
    ("这是物流公司的问题。", "blame-elsewhere"),
    ("这件事跟我们没有关系", "blame-elsewhere"),
    ("这个不归我们部门管", "sent-away"),
    ("请您自行联系快递公司。", "sent-away"),
    ("我也没办法", "helpless"),
    ("这是公司规定。", "helpless"),
    ("根据公司规定，超过七天不予退货。", "helpless"),
    ("as per our policy, refunds are not possible", "helpless"),
    ("Under company policy we cannot refund opened items.", "helpless"),
    ("您说的不对。", "arguing"),
    ("您要是早点说就不会这样了。", "arguing"),
    ("一般都不会有问题的。", "doubting"),
    ("这是您自己操作不当造成的", "arguing"),
    ("您为什么不早说？", "arguing"),
    ("您确定没有签收吗？", "doubting"),
    ("您所谓的损失我们不认可", "doubting"),
    ("您必须先提供发票", "command"),
    ("否则后果自负", "threat"),
    ("随您怎么投诉", "dismissive"),
    ("最近我们太忙，忙不过来", "excuse"),
    ("由于近期订单量较大，没能及时发货", "excuse"),
    ("快点！！！", "shouting"),
    ("Even a child knows that.", "belittling"),
    ("You get what you pay for.", "belittling"),
    ("Please calm down.", "belittling"),
    ("If we made a mistake, we apologise.", "conditional-apology"),
    ("We’re sorry if you were offended.", "conditional-apology"),
    ("We are sorry that you feel this way.", "conditional-apology"),
    ("Sorry for any inconvenience this may have caused.", "conditional-apology"),
    ("Your complaint will be looked into.", "passive-evasion"),
    ("Mistakes were made.", "passive-evasion"),
    ("We are sorry for the inconvenience.", "empty-formula"),
    ("Your feedback is important to us.", "empty-formula"),
    ("Thank you for your understanding.", "asks-for-pardon"),
    ("We will get back to you as soon as possible.", "vague-time"),
    ("It was passed on to the relevant department.", "nobody-named"),
    ("That is the courier's fault.", "blame-elsewhere"),
    ("You should have read the terms.", "arguing"),
    ("You are mistaken.", "arguing"),
    ("You claim that it was broken.", "doubting"),
    ("That is impossible.", "absolute"),
    ("This has never happened before.", "absolute"),
    ("You must send us the receipt.", "command"),
    ("There is nothing we can do.", "helpless"),
    ("Feel free to complain.", "dismissive"),
    ("Due to high call volumes you had to wait.", "excuse"),
    ("READ YOUR CONTRACT AGAIN", "shouting"),
]

GOOD = [
    "根据公司制度，我们先退款，今天18点前到账。",
    "The refund is due to you under our guarantee, not our policy.",
    "我理解您的感受",
    "我们会改正",
    "您周三收到的订单少了两件，给您带来不便，我们很抱歉。",
    "您的订单少装了两件。给您带来的不便，我们深表歉意。",
    "如果您有其他问题，请随时告诉我们。",
    "如果您对方案不满意，可以请主管重新看一遍。",
    "如果还有不对的地方，请告诉我们。",
    "您说：“这绝对不可能有这种事发生”，我们查了监控。",
    "我们的同事说了「连小孩子都知道」，这句话很伤人，我们向您道歉。",
    "> 如果是我们的问题，问题会被处理\n\n这句话是我们写的，我们收回，并向您道歉。",
    "我们保证这样的事绝不会再发生。",
    "我们会在周五前尽快给您答复。",
    "我已经请仓库的张工核实，今天18点前给您回电。",
    "由我们的主管跟进，明天10点前联系您。",
    "您别着急，我马上给您查。",
    "请您把面单的照片发给我们，好查是哪一站少的。",
    "您好！谢谢您的来信。",
    "在查清之前，请您不要再使用它。",
    "为了尽快解决饮水问题，村上召集大家开了会。",
    "工程完工后，园区的排污问题将得到根本解决。",
    "他患有神经病，一直在治疗。",
    "小区路灯的管理已移交相关单位。",
    "We understand how upsetting this is.",
    "We will put it right.",
    "If anything else comes up, tell us at any time.",
    "If you are not satisfied, our manager will look at it again.",
    "If something is wrong, please correct it on the page below.",
    "Your order came two items short. We are sorry for the inconvenience.",
    "We will get back to you as soon as possible, by Friday at the latest.",
    'Our colleague told you "you should have read the terms". We are sorry for that.',
    "Your complaint is looked into by our warehouse manager, Ms Li.",
    "We are sorry that you have to wait longer for your parcel.",
    "You need not do anything until then.",
    "All you need to do is to keep the parcel.",
    "Our FAQ and the CFPB answer this.",
    "Is that right?",
    "You should have been told before. We are sorry that nobody did.",
    "The responsible party has thirty days to repair it.",
]


@pytest.mark.parametrize(("text", "rule"), BAD)
def test_what_no_customer_should_read_is_found_by_its_rule(text: str, rule: str) -> None:
    verdict = check(text)

    assert rule in {finding.rule for finding in verdict.findings}
    assert not verdict.ok


@pytest.mark.parametrize("text", GOOD)
def test_what_is_fit_to_be_read_is_left_alone(text: str) -> None:
    assert [finding.phrase for finding in check(text).findings] == []


def test_offsets_are_code_points_of_the_text_as_sent() -> None:
    text = "😀　您好，Ｉｆ　ｗｅ made a mistake, we apologise. 絕對\u200b不可能有這種事。"

    for finding in check(text).findings:
        assert text[finding.start : finding.end] == finding.phrase
    assert [finding.rule for finding in check(text).findings] == ["conditional-apology", "absolute"]


def test_findings_stand_in_order_and_not_within_each_other() -> None:
    text = "如果是我们的问题，问题会被处理。连小孩子都知道，绝对不可能有这种事！！！" * 3

    findings = check(text).findings

    ends = [0] + [finding.end for finding in findings]
    assert all(end <= finding.start for end, finding in zip(ends, findings, strict=False))
    assert len(findings) == 5 * 3


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
def test_every_finding_is_explained_in_the_language_asked_for(locale: str) -> None:
    (finding,) = check("问题会被处理", locale=locale).findings  # type: ignore[arg-type]  # parameters

    assert re.search(r"[\u4e00-\u9fff]", finding.why + finding.suggestion) is None or (
        locale == "zh-CN"
    )
    assert finding.why
    assert finding.suggestion


def test_without_a_language_it_is_explained_in_the_texts_own() -> None:
    assert "被动句" in check("问题会被处理").findings[0].why
    assert "Nobody" in check("It will be processed.").findings[0].why


@pytest.mark.parametrize(
    "text",
    [
        "您周三的订单少了两件，这是我们的错，我们向您道歉。",
        "您等了三天才收到回复。对不起。",
        "让您久等了，抱歉。",
        "We are sorry that your parcel came two items short.",
        "Your parcel came late. We apologise.",
    ],
)
def test_an_apology_for_the_concrete_thing_counts(text: str) -> None:
    assert check(text).duties[Duty.APOLOGY] is True


@pytest.mark.parametrize(
    "text",
    [
        "我们很抱歉。",
        "我们很抱歉给您带来不便。",
        "如果是我们的问题，我们向您道歉。",
        "已要求该公司向您道歉。",
        "您说“你们应该道歉”。",
        "We are sorry.",
        "We are sorry for any inconvenience caused.",
        "If the parcel was damaged by us, we are sorry.",
        "We are sorry to say that the offer has ended.",
        "We will not apologise.",
    ],
)
def test_an_apology_that_is_none_does_not_count(text: str) -> None:
    assert check(text).duties[Duty.APOLOGY] is False


@pytest.mark.parametrize(
    "text",
    [
        "我们会重新补发缺少的两件。",
        "主管明天给您打电话。",
        "我们马上给您退款。",
        "下一步，我们将核实仓库的录像。",
        "不同意的话，请在这个页面上写下理由。",
        "We will send the two items again.",
        "I'll call you on Monday.",
        "One of us will be in touch.",
        "Please tell us your choice.",
        "今天下午6点前补发，单号发到您手机上。",
        "明天上午10点我和师傅一起上门。",
        "I will ring you afterwards.",
        "A nurse will call her tomorrow at 10:00.",
        "I have refunded it today and you should see it by Friday.",
        "If it is not there by then, call me on 020 7946 0000.",
    ],
)
def test_a_next_step_in_active_voice_counts(text: str) -> None:
    assert check(text).duties[Duty.NEXT_STEP] is True


@pytest.mark.parametrize(
    "text",
    [
        "您的问题会被处理。",
        "现将有关情况回复如下。",
        "社区委员会的会议已经开过。",
        "订单已于11月1日前补发完毕。",
        "昨天我们的师傅上门看过了。",
        "It will be processed.",
        "Thank you for your message.",
    ],
)
def test_what_nobody_does_is_no_next_step(text: str) -> None:
    assert check(text).duties[Duty.NEXT_STEP] is False


@pytest.mark.parametrize(
    "text",
    [
        "24小时内",
        "２４小时之内给您答复",
        "三个工作日内",
        "今天下班前",
        "11月24日（周二）16:00前",
        "明天上午给您打电话",
        "我们将于下周一上门",
        "半小时内",
        "by Friday",
        "within 3 working days",
        "within twenty-four hours",
        "by Tue 24 Nov, 16:00",
        "before 5 pm",
        "We will call you tomorrow.",
        "by the end of the week",
    ],
)
def test_a_time_that_can_be_kept_counts(text: str) -> None:
    assert check(text).duties[Duty.TIME] is True


@pytest.mark.parametrize(
    "text",
    [
        "尽快",
        "近期",
        "2019年5月9日",
        "我们昨天收到您的来信",
        "soon",
        "on 9 of your visits",
        "shortly",
    ],
)
def test_a_time_that_promises_nothing_does_not_count(text: str) -> None:
    assert check(text).duties[Duty.TIME] is False


def test_a_text_without_fault_that_does_its_duties_is_ok() -> None:
    text = "您周三的订单少了两件，我们向您道歉。我们今天补发，周五前送到。"

    assert check(text, purpose=Purpose.REPLY).ok


@pytest.mark.parametrize("purpose", Purpose)
def test_what_is_owed_follows_from_the_purpose(purpose: Purpose) -> None:
    verdict = check("谢谢您。", purpose=purpose)

    assert set(verdict.missing) == DUE[purpose]
    assert all(verdict.duties[duty] is None for duty in Duty if duty not in DUE[purpose])
    assert verdict.ok is (not DUE[purpose])


def test_what_staff_read_among_themselves_may_be_an_order_but_no_insult() -> None:
    assert check("您必须现在联系客户！！！", purpose=Purpose.INTERNAL).ok
    assert not check("客户是个神经病", purpose=Purpose.INTERNAL).ok


@pytest.mark.parametrize("text", ["", " ", "。", "\n\n", "😀", "“", '"', ">", "a" * LONGEST])
def test_any_text_can_be_checked(text: str) -> None:
    assert check(text).findings == []


def test_every_rule_is_explained_and_tried_by_an_example() -> None:
    tried = {rule for _, rule in BAD} | {"insult"}

    assert {rule.name for rule in rule_book().rules} == tried


@pytest.mark.parametrize(
    "unit",
    [
        "如果",
        "我们会",
        "将于",
        "给您带来不便",
        "如果我们有",
        "我们很抱歉",
        "连小孩",
        "(",
        "“",
        '"',
        ">\n",
        "if we ",
        "sorry ",
        "you ",
        "due to the ",
        "A",
        "AAA ",
        "!",
        "12",
        "\n",
        " ",
        "à",
    ],
)
def test_no_text_makes_the_check_slow(unit: str) -> None:
    longest = (unit * LONGEST)[:LONGEST]

    began = time.monotonic()
    check(longest)

    # It takes a fraction of a second; a search that goes back and forth would take minutes.
    assert time.monotonic() - began < 10


def test_no_phrase_repeats_without_a_bound() -> None:
    book = rule_book()
    patterns = [pattern for rule in book.rules for pattern in rule.phrases]
    patterns += [pattern for duty in book.duties.values() for pattern in duty.phrases]
    patterns += [rule.unless for rule in book.rules if rule.unless]
    patterns += [duty.unless for duty in book.duties.values() if duty.unless]

    for pattern in [*patterns, book.generic, book.greetings, book.overlooked]:
        bare = re.sub(r"\\.|\[[^\]]*\]", "x", pattern.pattern)
        assert not re.search(r"[*+]|\{\d*,\}", bare), pattern.pattern


@pytest.mark.parametrize("phrase", ["", " ", "(a", "a|", "[ab]", "a{2,}", r"\w", "a…b…c…d…e", " a"])
def test_a_phrase_that_cannot_be_is_refused(phrase: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        translate(phrase)


_RULES = """version: 1
rules:
  never: {zh: [甲], why: {zh: 因, en: because}, suggestion: {zh: 改, en: better}}
duties:
  apology: {zh: [抱歉], voided_by: [%s]}
  next_step: {zh: [我们会]}
  time: {zh: [明天]}
overlooked: {zh: [会议]}
generic: {zh: [我们]}
greetings: {zh: [您好]}
traditional: [這这]
"""


def test_rules_that_name_each_other_must_exist() -> None:
    read_yaml(_RULES % "never", RuleFile, name="rules.yaml")

    with pytest.raises(InvalidDocument, match="ever"):
        read_yaml(_RULES % "ever", RuleFile, name="rules.yaml")


def test_a_field_that_no_rule_has_is_refused_with_its_line() -> None:
    with pytest.raises(InvalidDocument, match="line 3"):
        read_yaml(_RULES.replace("why:", "wyh:") % "never", RuleFile, name="rules.yaml")


def test_a_phrase_that_cannot_be_read_is_named_with_its_rule() -> None:
    file = read_yaml((_RULES % "never").replace("[甲]", '["(甲"]'), RuleFile, name="rules.yaml")

    with pytest.raises(ValueError, match=r"never: '\(甲'"):
        compile_book(file)
