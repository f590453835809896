"""Crashes and replicas: what was in hand goes again where that doubles nothing, and once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from services.notification_service.gateways.domain.port import (
    NotAccepted,
    Uncertain,
)
from services.notification_service.messages.domain.retry import MOST_TRIES
from services.notification_service.messages.models import notifications
from services.notification_service.messages.repository import deliveries
from tests.service.notification.conftest import START, Notification, opened, received
from tests.service.notification.test_sending import (
    Scripted,
    crash_while_sending,
    gateways,
    said,
    standing,
)


async def crash_with_a_message(notification: Notification, **contact: str) -> None:
    """Crash while the acknowledgement of a new complaint is sent."""
    complaint = received()
    notification.knows(complaint, **contact)
    await notification.hear(complaint, opened(complaint))
    await crash_while_sending(notification)


@pytest.mark.parametrize("left_by", ["no answer", "a crash"])
async def test_what_may_have_been_taken_goes_by_no_other_channel_when_the_tries_are_used_up(
    notification: Notification, left_by: str
) -> None:
    away = [NotAccepted("away")] * MOST_TRIES
    email = Scripted()
    sms = Scripted(repeatable=True)
    notification.use(gateways(sms=sms, email=email))
    complaint = received()
    notification.knows(complaint, phone="+8613800138000", email="w@example.com")
    await notification.hear(complaint, opened(complaint))
    if left_by == "a crash":
        await crash_while_sending(notification)
        sms.answers = [*away]
        notification.use(gateways(sms=sms, email=email))
        await notification.sender.take_over(everything=True)
    else:
        sms.answers = [Uncertain("no answer"), *away[1:]]

    for _ in range(MOST_TRIES):
        await notification.deliver()
        notification.clock.advance(timedelta(minutes=15))

    ((state, channel, _, reason),) = await standing(notification)
    assert (state, channel, reason) == ("unknown", "sms", "away")
    assert not email.taken


async def test_after_a_crash_a_mail_is_sent_again_with_the_same_reference(
    notification: Notification,
) -> None:
    email = Scripted()
    notification.use(gateways(email=email))
    await crash_with_a_message(notification, email="w@example.com")

    notification.use(gateways(email=email))
    await notification.sender.take_over(everything=True)
    await notification.deliver()

    assert await standing(notification) == [("sent", "email", 2, None)]
    assert len(email.taken) == 2
    assert len({message.reference for message in email.taken}) == 1


async def test_crashes_are_no_tries_of_the_gateway(notification: Notification) -> None:
    email = Scripted()
    notification.use(gateways(email=email))
    complaint = received()
    notification.knows(complaint, email="w@example.com")
    await notification.hear(complaint, opened(complaint))
    for _ in range(MOST_TRIES + 1):
        await crash_while_sending(notification)
        notification.use(gateways(email=email))
        await notification.sender.take_over(everything=True)
    email.answers = [NotAccepted("mail server answered 451")]

    await notification.deliver()
    between = await standing(notification)
    notification.clock.advance(timedelta(minutes=1))
    await notification.deliver()

    attempts = MOST_TRIES + 1
    assert between == [("queued", "email", attempts + 1, "mail server answered 451")]
    assert await standing(notification) == [("sent", "email", attempts + 2, None)]


async def test_after_a_crash_an_sms_is_not_sent_again(notification: Notification) -> None:
    sms = Scripted(repeatable=False)
    notification.use(gateways(sms=sms))
    await crash_with_a_message(notification, phone="+8613800138000")

    notification.use(gateways(sms=sms))
    await notification.sender.take_over(everything=True)
    await notification.deliver()

    assert await standing(notification) == [("unknown", "sms", 1, "crashed_while_sending")]
    assert len(sms.taken) == 1


async def test_another_replica_takes_over_only_when_the_lease_has_ended(
    notification: Notification,
) -> None:
    email = Scripted()
    notification.use(gateways(email=email))
    await crash_with_a_message(notification, email="w@example.com")

    notification.replica = "notification-2"
    notification.use(gateways(email=email))
    await notification.sender.take_over(everything=True)
    assert [state for state, *_ in await standing(notification)] == ["sending"]

    notification.clock.advance(timedelta(minutes=3))
    await notification.sender.take_over(everything=False)
    await notification.deliver()
    assert [state for state, *_ in await standing(notification)] == ["sent"]


async def test_what_was_leased_before_a_crash_goes_at_once_and_what_others_hold_is_left(
    notification: Notification,
) -> None:
    email = Scripted()
    notification.use(gateways(email=email))
    for _ in range(2):
        complaint = received()
        notification.knows(complaint, email="w@example.com")
        await notification.hear(complaint, opened(complaint))
    until = START + timedelta(minutes=2)
    for replica in ("notification-1", "notification-2"):
        async with notification.database.write() as connection:
            await deliveries.lease(connection, by=replica, now=START, until=until, limit=1)

    notification.use(gateways(email=email))
    await notification.sender.take_over(everything=True)
    await notification.deliver()

    assert sorted(state for state, *_ in await standing(notification)) == ["queued", "sent"]
    assert len(email.taken) == 1


async def test_a_result_that_comes_after_the_lease_was_lost_changes_nothing(
    notification: Notification,
) -> None:
    await crash_with_a_message(notification, phone="+8613800138000")
    async with notification.database.write() as connection:
        await connection.execute(update(notifications).values(leased_by="notification-2"))

    await notification.sender.settle_gathered()

    assert [state for state, *_ in await standing(notification)] == ["sending"]
    assert not await said(notification)


async def test_two_replicas_never_lease_the_same_message(notification: Notification) -> None:
    complaints = [received() for _ in range(20)]
    await notification.hear(*complaints, *(opened(complaint) for complaint in complaints))
    until = START + timedelta(minutes=2)

    leased: list[str] = []
    for replica in ("notification-1", "notification-2"):
        async with notification.database.write() as connection:
            rows = await deliveries.lease(connection, by=replica, now=START, until=until, limit=12)
            leased += [row.id for row in rows]

    assert len(leased) == len(set(leased)) == 20
