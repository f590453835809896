"""Reply scripts and letters: every one fit to be read; the motive decides how, never what."""

from __future__ import annotations

import itertools
import re

import pytest

from services.notification_service.scripts.domain.book import (
    EMPTY,
    Book,
    Facts,
    Kind,
    Topic,
    script_of,
    topic_of,
    write,
)
from services.notification_service.scripts.repository import book_in
from services.notification_service.tone.domain.words import Locale, Purpose
from services.notification_service.tone.service import check
from shared.events.words import Motive
from shared.kernel.yaml_documents import InvalidDocument, read_yaml

LOCALES: tuple[Locale, ...] = ("zh-CN", "en")
MOTIVES = (*Motive, None)
BY: dict[Locale, str] = {"zh-CN": "11月24日（周二）16:00", "en": "Tue 24 Nov, 16:00"}
PURPOSES = {
    Kind.REPLY: Purpose.REPLY,
    Kind.APOLOGY: Purpose.APOLOGY_LETTER,
    Kind.APOLOGY_BY_LEADER: Purpose.APOLOGY_LETTER,
    Kind.THANKS: Purpose.THANK_YOU_LETTER,
}
OFFERS = re.compile(
    r"赔|补偿|退款|退钱|换货|优惠|代金|券|礼品|refund|compensat|replac|voucher|coupon|discount|gift|"
    r"money|free of charge"
)


def facts(locale: Locale, **changes: str | None) -> Facts:
    given: dict[str, str | None] = {
        "name": "王芳" if locale == "zh-CN" else "Ann Lee",
        "number": "7K3F-9Q2M-X",
        "by": BY[locale],
        "signer": "李娜" if locale == "zh-CN" else "Li Na",
        "role": "总经理" if locale == "zh-CN" else "managing director",
    }
    return Facts(company="Redress", **(given | changes))


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize(("kind", "topic", "motive"), [*itertools.product(Kind, Topic, MOTIVES)])
def test_every_letter_passes_the_tone_check(
    kind: Kind, topic: Topic, motive: Motive | None, locale: Locale
) -> None:
    written = write(book_in(locale), kind, topic=topic, motive=motive, facts=facts(locale))
    verdict = check(f"{written.subject}\n\n{written.text}", purpose=PURPOSES[kind])

    assert [f"{one.rule}: {one.phrase}" for one in verdict.findings] == []
    assert list(verdict.missing) == []
    assert list(written.missing) == []
    assert EMPTY not in written.text
    assert "{" not in written.text


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("topic", Topic)
def test_the_motive_changes_the_tone_and_never_what_is_offered(
    topic: Topic, locale: Locale
) -> None:
    scripts = [script_of(book_in(locale), topic, motive) for motive in MOTIVES]

    assert len({script["next_step"] for script in scripts}) == 1
    assert len({script["apology"] for script in scripts}) == 1
    for part in ("opening", "empathy", "first_step", "closing"):
        assert len({script[part] for script in scripts}) == len(MOTIVES)
        assert not [script[part] for script in scripts if OFFERS.search(script[part])]


@pytest.mark.parametrize("locale", LOCALES)
def test_every_kind_of_complaint_has_words_of_its_own(locale: Locale) -> None:
    scripts = [script_of(book_in(locale), topic, None) for topic in Topic]

    assert len({script["next_step"] for script in scripts}) == len(Topic)
    assert len({script["apology"] for script in scripts}) == len(Topic)


@pytest.mark.parametrize("locale", LOCALES)
def test_what_nobody_knows_is_left_out_and_what_is_owed_stays_blank(locale: Locale) -> None:
    unknown = facts(locale, name=None, by=None, signer=None)
    book = book_in(locale)

    written = write(book, Kind.APOLOGY, topic=Topic.LOGISTICS, motive=None, facts=unknown)

    assert list(written.missing) == ["by", "signer"]
    assert written.text.count(EMPTY) == 2
    assert written.text.startswith(book.greeting.nameless)
    assert "cause" not in written.text


@pytest.mark.parametrize("locale", LOCALES)
def test_cause_and_remedy_are_told_where_they_are_known(locale: Locale) -> None:
    known = facts(locale, cause="AAA", remedy="BBB", thing="CCC")

    written = write(book_in(locale), Kind.APOLOGY, topic=Topic.OTHER, motive=None, facts=known)

    assert re.search("CCC.*AAA.*BBB", written.text, re.DOTALL)
    assert check(written.text, purpose=Purpose.APOLOGY_LETTER).missing == []
    assert book_in(locale).topics[Topic.OTHER].next_step[:15] not in written.text


def test_a_fact_that_looks_like_a_blank_is_only_words() -> None:
    nasty = facts("en", name="{number}", thing="{company} {signer} {x}")

    written = write(book_in("en"), Kind.APOLOGY, topic=Topic.OTHER, motive=None, facts=nasty)

    assert "Dear {number}," in written.text
    assert "{company} {signer} {x}" in written.text


@pytest.mark.parametrize(
    ("category", "topic"),
    [
        ("logistics.short", Topic.LOGISTICS),
        ("safety", Topic.SAFETY),
        ("lending.fees", Topic.OTHER),
        ("", Topic.OTHER),
        (None, Topic.OTHER),
    ],
)
def test_a_category_without_words_of_its_own_has_those_of_other(
    category: str | None, topic: Topic
) -> None:
    assert topic_of(category) is topic


def test_a_book_without_words_for_a_motive_is_refused() -> None:
    text = """greeting: {named: '{} hello', nameless: hello}
between: ' '
follow_up: f
topics: {other: {thing: x, apology: sorry, next_step: y}}
motives: {plain: {opening: a, empathy: b, first_step: c, closing: d}}
letters: {}
"""

    with pytest.raises(InvalidDocument, match="there are no words for product"):
        read_yaml(text, Book, name="book.yaml")
    with pytest.raises(InvalidDocument, match="line 4"):
        read_yaml(text.replace("thing: x", "thing: '{thnig}'"), Book, name="book.yaml")
