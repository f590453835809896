"""What the form on a customer's own page says, and what it leaves as it was."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notification_service.gateways.domain.mail import build_mail, readable_mail
from services.notification_service.gateways.domain.port import Outgoing
from services.notification_service.preferences.domain.choices import Preferences
from services.notification_service.preferences.domain.form import form_of, read_form
from services.notification_service.preferences.repository.zones import zone_names
from shared.events.words import MessageChannel

START = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
ANSWERS = st.none() | st.booleans()
TIMES = st.times().map(lambda time: time.strftime("%H:%M"))
CONSENT = st.fixed_dictionaries({"sms": ANSWERS, "email": ANSWERS})
CHOICES = st.fixed_dictionaries(
    {
        "channel": st.sampled_from([None, "sms", "email"]),
        "locale": st.sampled_from([None, "zh-CN", "en"]),
        "timezone": st.sampled_from([None, "Asia/Shanghai", "Europe/Berlin"]),
        "quiet_hours": st.none() | st.fixed_dictionaries({"from": TIMES, "to": TIMES}),
        "consent": st.fixed_dictionaries({"service": CONSENT, "survey": CONSENT}),
        "do_not_contact": st.booleans(),
    }
).map(Preferences.model_validate)


@given(CHOICES)
def test_a_form_that_is_sent_as_it_was_shown_changes_nothing(chosen: Preferences) -> None:
    again = read_form(form_of(chosen), chosen)

    hours = chosen.quiet_hours
    if hours is not None and hours.begin == hours.end:
        chosen = chosen.model_copy(update={"quiet_hours": again.quiet_hours})
    assert again == chosen


def test_leaving_the_question_alone_is_no_consent() -> None:
    found = read_form({"channel": "sms"}, Preferences())

    assert found.consent.survey.sms is None
    assert found.consent.service.sms is None


def test_taking_a_refusal_back_is_no_consent_either() -> None:
    refused = Preferences.model_validate({"consent": {"service": {"sms": False}}})

    assert read_form({}, refused).consent.service.sms is None


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
def test_the_zone_that_was_chosen_is_among_those_offered(locale: str) -> None:
    names = dict(zone_names(locale, "America/Halifax"))

    assert "America/Halifax" in names
    assert len(set(names.values())) == len(names)


def test_the_address_in_the_unsubscribe_header_stays_whole() -> None:
    link = "https://complaints.example.com/preferences/" + "Ab-_9" * 12
    message = Outgoing(
        "r", MessageChannel.EMAIL, "w@example.com", "text", "n", "k", 1, START, unsubscribe_url=link
    )

    for mail in (
        build_mail(message, sender="A <a@example.com>").as_bytes(),
        readable_mail(message, sender="A <a@example.com>"),
    ):
        assert f"List-Unsubscribe: <{link}>" in mail.decode().splitlines()
