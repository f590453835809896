"""A team's rooms hear of what everybody should look at: once for each fact, each with its state."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select

from services.notification_service.gateways.domain.port import Gateway, NotAccepted
from services.notification_service.gateways.domain.rooms import Room
from services.notification_service.messages.models import notifications
from shared.events.base import ComplaintEvent
from shared.events.cases import ClockBreached
from shared.events.words import MessageChannel
from tests.service.notification.conftest import START, Notification, opened, received
from tests.service.notification.test_sending import Scripted, gateways


def breached(of: ComplaintEvent, *, owner: str | None = "li.na") -> ClockBreached:
    return ClockBreached(
        complaint_id=of.complaint_id,
        number=of.number,
        state="assigned",
        version=2,
        owner=owner,
        clock="first_reply",
        due_at=START,
        late_seconds=1,
    )


def with_room(notification: Notification, chat: Gateway) -> None:
    others = gateways()
    rooms = {"duty": Room.model_validate({"url": "dingtalk://S@T"})}
    by_channel = {**others.by_channel, MessageChannel.CHAT: chat}
    notification.use(replace(others, by_channel=by_channel, rooms=rooms))
    notification.neighbours.people = [
        {"id": "li.na", "email": "li@example.com"},
        {"id": "a", "role": "admin", "email": "a@example.com"},
        {"id": "q", "role": "quality", "email": "q@example.com"},
    ]


async def standing(notification: Notification) -> set[tuple[str, str, str | None]]:
    c = notifications.c
    async with notification.database.read() as connection:
        found = await connection.execute(select(c.recipient, c.state, c.channel))
        return {(row[0], row[1], row[2]) for row in found}


async def test_a_breach_is_told_to_the_owner_and_to_the_room(notification: Notification) -> None:
    chat = Scripted()
    with_room(notification, chat)
    complaint = received()

    await notification.hear(complaint, breached(complaint))
    await notification.deliver()

    assert await standing(notification) == {
        ("li.na", "sent", "email"),
        ("chat:duty", "sent", "chat"),
    }
    (post,) = chat.taken
    assert (post.address, post.subject) == ("duty", None)
    assert complaint.number in post.text


async def test_an_alarm_to_all_operators_is_one_post(notification: Notification) -> None:
    chat = Scripted()
    with_room(notification, chat)
    complaint = received()

    await notification.hear(complaint, breached(complaint, owner=None))
    await notification.deliver()

    assert await standing(notification) == {
        ("a", "sent", "email"),
        ("q", "sent", "email"),
        ("chat:duty", "sent", "chat"),
    }
    assert len(chat.taken) == 1


async def test_a_room_that_is_away_holds_up_nobody_and_fails_with_its_reason(
    notification: Notification,
) -> None:
    chat = Scripted([NotAccepted("chat room duty answered 310000")] * 99)
    with_room(notification, chat)
    complaint = received()
    await notification.hear(complaint, breached(complaint))

    for _ in range(8):
        await notification.deliver()
        notification.clock.advance(timedelta(minutes=15))

    assert await standing(notification) == {
        ("li.na", "sent", "email"),
        ("chat:duty", "failed", "chat"),
    }


async def test_what_customers_hear_goes_to_no_room(notification: Notification) -> None:
    chat = Scripted()
    with_room(notification, chat)
    complaint = received()
    notification.knows(complaint, phone="+8613800138000")

    await notification.hear(complaint, opened(complaint))
    await notification.deliver()

    assert await standing(notification) == {("customer", "sent", "sms")}
    assert not chat.taken
