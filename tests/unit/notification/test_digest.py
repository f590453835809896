"""What is gathered for a digest, until when, and how a digest reads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notification_service.messages.domain.digest import (
    Item,
    compose,
    gathered_until,
    next_digest,
)
from services.notification_service.messages.domain.intents import Facts, Intent
from services.notification_service.messages.domain.words import CUSTOMER, Kind
from services.notification_service.messages.repository.routing import packaged_table
from services.notification_service.recipients.domain.groups import OPERATORS
from shared.events.words import Audience

NOW = datetime(2026, 11, 23, 8, 10, tzinfo=UTC)
HALF_AN_HOUR = timedelta(minutes=30)
LATER = NOW + timedelta(hours=5)


@pytest.mark.parametrize(
    ("kind", "recipient", "urgency", "facts", "until"),
    [
        (Kind.STAFF_ASSIGNMENT, "li.na", "normal", {}, 20),
        (Kind.STAFF_WARNING, "li.na", "normal", {"due_at": LATER.isoformat()}, 20),
        (Kind.STAFF_WARNING, "li.na", "normal", {"due_at": "2026-11-23T08:30:00+00:00"}, None),
        (Kind.STAFF_ASSIGNMENT, "li.na", "high", {}, None),
        (Kind.STAFF_EMERGENCY, "li.na", "normal", {}, None),
        (Kind.OPERATOR_ALERT, OPERATORS, "normal", {}, None),
        (Kind.ASSIGNED, CUSTOMER, "normal", {}, None),
    ],
)
def test_calm_messages_to_one_of_staff_wait_for_the_digest(
    kind: Kind, recipient: str, urgency: str, facts: Facts, until: int | None
) -> None:
    route = packaged_table().row(None, kind)
    assert route is not None
    audience = Audience.CUSTOMER if recipient == CUSTOMER else Audience.STAFF
    intent = Intent(kind, audience, recipient, facts)

    found = gathered_until(intent, route, urgency, now=NOW, every=HALF_AN_HOUR)

    assert found == (NOW + timedelta(minutes=until) if until else None)
    assert gathered_until(intent, route, urgency, now=NOW, every=timedelta(0)) is None


@given(
    now=st.datetimes(datetime(2020, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis wants them naive
    minutes=st.integers(1, 1440),
)
def test_every_process_counts_to_the_same_next_digest(now: datetime, minutes: int) -> None:
    every = timedelta(minutes=minutes)

    comes_at = next_digest(now, every)

    assert now < comes_at <= now + every
    assert next_digest(comes_at - timedelta(microseconds=1), every) == comes_at


def test_a_digest_lists_each_message_with_its_case() -> None:
    items = [Item("快到时限", "http://h/cases/1"), Item("新派工单", "http://h/cases/2")]

    subject, text = compose("zh-CN", items)
    english, _ = compose("en", items)

    assert subject == "2 条工作提醒"
    assert "- 快到时限：http://h/cases/1\n- 新派工单：http://h/cases/2\n" in text
    assert english == "2 notices about your cases"
