"""What cannot wait reaches somebody, also where the person it is for has no address that works."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from services.notification_service.gateways.domain.port import Refused
from services.notification_service.messages.models import notifications
from shared.events.cases import ClockBreached, ClockWarned
from tests.service.notification.conftest import START, JsonObject, Notification
from tests.service.notification.telling import fact, known
from tests.service.notification.test_sending import Scripted, gateways

LEAD: JsonObject = {"id": "chen", "role": "lead", "department": "logistics", "email": "c@x.example"}
QUALITY: JsonObject = {"id": "gao", "role": "quality", "email": "g@x.example", "locale": "en"}
OWNER: JsonObject = {"id": "li.na", "name": "李娜", "role": "agent", "department": "logistics"}


async def told(notification: Notification) -> list[tuple[str, str, str | None]]:
    """Recipient, state and reason of every message to staff, oldest first."""
    c = notifications.c
    chosen = select(c.recipient, c.state, c.reason).where(c.audience == "staff").order_by(c.id)
    async with notification.database.read() as connection:
        return [(row[0], row[1], row[2]) for row in await connection.execute(chosen)]


def lost(logged: Sequence[Mapping[str, object]]) -> list[object]:
    """Return the kinds of what was logged as told to nobody."""
    return [one["kind"] for one in logged if one["event"] == "message.nobody_reached"]


async def breach(notification: Notification) -> None:
    complaint = known(notification)
    late = fact(ClockBreached, complaint, clock="resolve", due_at=START, late_seconds=5)
    await notification.hear(complaint, late)
    await notification.deliver()


async def test_a_breach_goes_to_the_lead_where_its_owner_has_no_address(
    notification: Notification,
) -> None:
    email = Scripted()
    notification.use(gateways(email=email))
    notification.neighbours.people = [OWNER, LEAD, QUALITY]

    await breach(notification)
    await notification.deliver()

    assert await told(notification) == [("li.na", "skipped", "no_address"), ("chen", "sent", None)]
    (mail,) = email.taken
    assert mail.text.startswith("联系不上 李娜，这条消息改由您处理。\n\n")


async def test_a_breach_goes_to_the_operators_where_its_owner_is_not_listed(
    notification: Notification,
) -> None:
    email = Scripted()
    notification.use(gateways(email=email))
    notification.neighbours.people = [LEAD, QUALITY]

    await breach(notification)

    assert await told(notification) == [("li.na", "skipped", "no_address"), ("gao", "sent", None)]
    assert email.taken[0].text.startswith("li.na cannot be reached, so this comes to you instead.")


async def test_a_breach_goes_on_until_an_address_takes_it(notification: Notification) -> None:
    refused = [Refused("550 no such user")] * 2
    email = Scripted([*refused])
    notification.use(gateways(email=email))
    notification.neighbours.people = [OWNER | {"email": "l@x.example"}, LEAD, QUALITY]

    await breach(notification)

    assert await told(notification) == [
        ("li.na", "failed", "550 no such user"),
        ("chen", "failed", "550 no such user"),
        ("gao", "sent", None),
    ]


@pytest.mark.parametrize("people", [[], [OWNER]])
async def test_where_nobody_can_be_reached_the_reason_stands_with_the_owner(
    notification: Notification, people: list[JsonObject]
) -> None:
    notification.neighbours.people = people

    with capture_logs() as logged:
        await breach(notification)

    assert await told(notification) == [("li.na", "skipped", "no_address")]
    assert lost(logged) == ["staff_breach"]


@pytest.mark.parametrize("people", [[], [OWNER | {"email": "l@x.example"}]])
async def test_a_breach_without_an_owner_and_without_operators_is_logged(
    notification: Notification, people: list[JsonObject]
) -> None:
    notification.neighbours.people = people
    complaint = known(notification)
    late = fact(ClockBreached, complaint, clock="resolve", due_at=START, late_seconds=5, owner=None)

    with capture_logs() as logged:
        await notification.hear(complaint, late)
        await notification.deliver()

    assert await told(notification) == [("operators", "skipped", "no_address")]
    assert lost(logged) == ["operator_alert"]


async def test_nobody_is_left_where_the_last_who_stands_in_refuses_it(
    notification: Notification,
) -> None:
    """Each of two operators stands in for the other, and neither mailbox takes it."""
    second = QUALITY | {"id": "tang", "email": "t@x.example"}
    notification.use(gateways(email=Scripted([Refused("550 no such user")] * 2)))
    notification.neighbours.people = [OWNER, QUALITY, second]

    with capture_logs() as logged:
        await breach(notification)
        await notification.deliver()

    assert sorted(await told(notification)) == [
        ("gao", "failed", "550 no such user"),
        ("li.na", "skipped", "no_address"),
        ("tang", "failed", "550 no such user"),
    ]
    assert lost(logged) == ["staff_breach"]


async def test_somebody_is_told_where_only_one_of_those_who_stand_in_refuses_it(
    notification: Notification,
) -> None:
    second = QUALITY | {"id": "tang", "email": "t@x.example"}
    notification.use(gateways(email=Scripted([Refused("550 no such user")])))
    notification.neighbours.people = [OWNER, QUALITY, second]

    with capture_logs() as logged:
        await breach(notification)
        await notification.deliver()

    assert sorted(state for _, state, _ in await told(notification)) == [
        "failed", "sent", "skipped",
    ]  # fmt: skip
    assert lost(logged) == []


async def test_a_warning_is_not_handed_on(notification: Notification) -> None:
    notification.neighbours.people = [OWNER, LEAD, QUALITY]
    complaint = known(notification)

    await notification.hear(
        complaint,
        fact(ClockWarned, complaint, clock="resolve", due_at=START.replace(hour=9), share=0.8),
    )
    await notification.deliver()

    assert await told(notification) == [("li.na", "skipped", "no_address")]
