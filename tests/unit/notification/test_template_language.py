"""What a company's wording may not do, with line and reason, before it does it."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from services.notification_service.templates.domain.samples import samples_of
from services.notification_service.templates.service import Templates
from services.notification_service.templates.service.checking import language_faults, reading_faults

TEMPLATES = Templates(zone=ZoneInfo("Asia/Shanghai"), company="Redress")


def wording(sms: str = "{{ number }}", email: str = "{{ number }}", subject: str = "News") -> str:
    return (
        f"{{% block sms %}}{sms}{{% endblock %}}\n"
        f"{{% block subject %}}{subject}{{% endblock %}}\n"
        f"{{% block email %}}\n{email}\n{{% endblock %}}\n"
    )


def test_a_plain_wording_has_no_fault() -> None:
    source = wording(
        sms="{{ company }}: {{ number }}{% if due_at %} by {{ at(due_at) }}{% endif %}",
        email="{% for o in options %}- {{ loop.index }} {{ o.key }} {{ o.text|short(40) }}"
        "{% if o.amount %}{{ price(o.amount) }}{% endif %}\n{% else %}none{% endfor %}"
        "{{ number }} {{ name or 'you' }} {{ 'A' if options|length > 1 and not urgent else 'B' }}",
    )

    assert not language_faults(source)
    assert not reading_faults(TEMPLATES, source, ("closed", "en"), samples_of("closed", "en"))


@pytest.mark.parametrize(
    ("said", "code", "words"),
    [
        ("{{ nmae }}", "unknown_variable", "did you mean name?"),
        ("{% for i in range(10 ** 9) %}x{% endfor %}", "loop", "a loop goes over options"),
        ("{% for a in options %}{% for b in options %}x{% endfor %}{% endfor %}", "loop", "in no"),
        ("{% for number in options %}x{% endfor %}", "loop", "means something else"),
        ("{% for o in options recursive %}{% endfor %}", "loop", "no condition"),
        ("{{ 'a' * 999999999 }}", "not_allowed", "arithmetic"),
        ("{{ 9 ** 9 ** 9 }}", "not_allowed", "arithmetic"),
        ("{{ 'x' % number }}", "not_allowed", "arithmetic"),
        ("{{ name|center(999999999) }}", "unknown_filter", "not center"),
        ("{{ name|replace('a', 'aaaa') }}", "unknown_filter", "not replace"),
        ("{{ name|short(99999) }}", "not_allowed", "up to 2000"),
        ("{{ name|short(true) }}", "not_allowed", "up to 2000"),
        ("{{ name|upper(1) }}", "not_allowed", "nothing in brackets"),
        ("{{ name.__class__ }}", "not_allowed", "(.__class__)"),
        ("{{ ''.join([]) }}", "unknown_function", "only at"),
        ("{{ name['x'] }}", "not_allowed", "[ ]"),
        ("{{ cycler() }}", "unknown_function", "only at"),
        ("{{ at(due_at, 1) }}", "not_allowed", "at takes one thing"),
        ("{{ at }}", "unknown_variable", "there is no variable at"),
        ("{{ self.sms() }}", "unknown_function", "only at"),
        ("{% for o in options %}{{ o.secret }}{% endfor %}", "unknown_variable", "not secret"),
        ("{% set x = name %}", "not_allowed", "set"),
        ("{% macro m() %}{% endmacro %}", "not_allowed", "macro"),
        ("{% include 'a' %}", "not_allowed", "include"),
        ("{% if name is defined %}{% endif %}", "not_allowed", "is is not allowed"),
        ("{% block sms %}{% endblock %}", "not_allowed", "a block in a block"),
        ("{% if name %}" * 50 + "{% endif %}" * 50, "too_deep", "goes too deep"),
        ("{{ name }}" * 1900, "too_deep", "is too long"),
        (r"{{ '\ud800' }}", "control_character", "half a character"),
        (r"{{ 'a\x00b' }}", "control_character", "half a character"),
        ("\x1b[31m", "control_character", "half a character"),
        ("{{ 0x" + "f" * 5000 + " }}", "not_allowed", "at most"),
    ],
)
def test_what_could_hold_up_others_or_means_nothing_is_refused(
    said: str, code: str, words: str
) -> None:
    faults = language_faults(wording(email=said))

    assert (code, 4) in {(fault.code, fault.line) for fault in faults}
    assert any(words in fault.detail for fault in faults)


@pytest.mark.parametrize(
    ("source", "code", "line"),
    [
        ("{% block sms %}{% endblock %}\n{% if", "syntax", 2),
        ("{{ " + "(" * 5000, "too_deep", None),
        ("x" * 20_001, "too_long", None),
        ("{{ " + "9" * 5000 + " }}", "syntax", None),
        (wording() + "{% block sms %}{% endblock %}", "block_twice", 6),
        (wording() + "over", "outside", 5),
        (wording() + "{% block more %}{% endblock %}", "unknown_block", 6),
        ("{% extends 'a' %}" + wording(), "outside", 1),
        ("{% block sms %}{% endblock %}{% block subject %}{% endblock %}", "block_missing", None),
    ],
)
def test_a_wording_that_cannot_be_read_is_refused(source: str, code: str, line: int | None) -> None:
    assert (code, line) in {(fault.code, fault.line) for fault in language_faults(source)}


@pytest.mark.parametrize(
    ("source", "code", "line", "scene"),
    [
        (wording(email="{{ number }}\n{{ name }}"), "scene", 5, "without name"),
        (wording(sms="{{ number }} {{ at(due_at) }}"), "scene", 1, "without due_at"),
        (wording(sms="{{ number }} {{ at(name) }}"), "scene", 1, "everything is known"),
        (wording(sms="{{ number }} {{ price(number) }}"), "scene", 1, "everything is known"),
        (wording(sms="{{ number + 1 }}".replace("+ 1", "> 1")), "scene", 1, "everything is known"),
        (wording(sms="hello"), "sms_without_number", None, "everything is known"),
        (wording(email="hello"), "email_without_number", None, "everything is known"),
        (wording(subject="{% if name %}News{% endif %}"), "subject_length", None, "without name"),
        (wording(sms="{{ number }} {{ description }}"), "sms_length", None, "very many words"),
    ],
)
def test_a_wording_that_reads_badly_in_some_scene_is_refused(
    source: str, code: str, line: int | None, scene: str
) -> None:
    assert not language_faults(source)

    faults = reading_faults(TEMPLATES, source, ("closed", "en"), samples_of("closed", "en"))

    (found,) = [fault for fault in faults if (fault.code, fault.line) == (code, line)]
    assert scene in found.detail


def test_a_message_without_end_is_refused() -> None:
    source = wording(email="{{ number }}" + "{{ description }}" * 300)

    faults = reading_faults(TEMPLATES, source, ("closed", "en"), samples_of("closed", "en"))

    assert "more than anybody reads" in faults[0].detail
