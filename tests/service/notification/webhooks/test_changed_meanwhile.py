"""What people change while deliveries are parked or in hand: nothing overtakes, nothing goes on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from services.notification_service.webhooks.repository.deliveries import Listed
from services.notification_service.webhooks.repository.subscriptions import Webhook
from services.notification_service.webhooks.service.subscribing import Wishes
from shared.bus.port import Record
from shared.kernel.clock import to_rfc3339
from shared.kernel.ids import new_id
from shared.messaging import UnitOfWork
from tests.service.notification.webhooks.kit import (
    START,
    Received,
    Receiver,
    World,
    answering,
    event,
    refusing,
)

Change = Callable[[World, UnitOfWork, str], Awaitable[object]]


def an_hour_earlier(record: Record) -> Record:
    at = to_rfc3339(START - timedelta(hours=1)).encode()
    headers = ((name, at if name == "ce_time" else value) for name, value in record.headers)
    return record._replace(headers=tuple(headers))


async def with_the_second_of_four_parked(
    world: World, crm: Receiver, webhook: Webhook, subject: str
) -> list[Listed]:
    crm.behaviour = refusing(lambda one: one.what == (subject, 2), 422)
    first, second, *later = [event(subject, n) for n in range(1, 5)]
    await world.say(first, an_hour_earlier(second), *later)
    world.clock.advance(timedelta(seconds=5))
    await world.deliver()
    rows = await world.listed(webhook)
    assert [row.state for row in rows] == ["delivered", "parked", "pending", "pending"]
    crm.received.clear()
    return rows


async def test_sending_another_event_again_lets_nothing_overtake_what_was_given_up(
    world: World, crm: Receiver
) -> None:
    world = world.with_settings(give_up_seconds=1)
    webhook, _secret = await world.subscribe(crm.url)
    subject = new_id()
    rows = await with_the_second_of_four_parked(world, crm, webhook, subject)

    assert await world.resend(webhook, rows[0].event_id) == 2
    await world.deliver()

    assert crm.whats == [(subject, 1), (subject, 2)]
    crm.behaviour = answering(204)
    world.clock.advance(timedelta(seconds=5))
    await world.deliver()
    assert crm.whats[2:] == [(subject, 2), (subject, 3), (subject, 4)]


async def test_a_range_without_what_was_given_up_takes_it_along(
    world: World, crm: Receiver
) -> None:
    world = world.with_settings(give_up_seconds=1)
    webhook, _secret = await world.subscribe(crm.url)
    subject, other = new_id(), new_id()
    await with_the_second_of_four_parked(world, crm, webhook, subject)
    await world.say(event(other, 1))
    crm.behaviour = answering(204)
    crm.received.clear()

    assert await world.resend_range(webhook, START, START + timedelta(seconds=1)) == 5
    await world.deliver()

    assert [n for one, n in crm.whats if one == subject] == [1, 2, 3, 4]


async def test_skipping_another_event_lets_nothing_overtake_what_was_given_up(
    world: World, crm: Receiver
) -> None:
    world = world.with_settings(give_up_seconds=1)
    webhook, _secret = await world.subscribe(crm.url)
    subject = new_id()
    rows = await with_the_second_of_four_parked(world, crm, webhook, subject)

    await world.skip(webhook, rows[2].event_id)
    await world.deliver()
    assert crm.received == []

    await world.skip(webhook, rows[1].event_id)
    await world.deliver()
    assert crm.whats == [(subject, 4)]


async def pausing(world: World, work: UnitOfWork, webhook_id: str) -> None:
    await world.webhooks.subscribers.pause(work, webhook_id)


async def deleting(world: World, work: UnitOfWork, webhook_id: str) -> None:
    await world.webhooks.subscribers.delete(work, webhook_id, None)


async def moving(world: World, work: UnitOfWork, webhook_id: str) -> None:
    elsewhere = Wishes(url="https://crm.example.invalid/elsewhere")
    await world.webhooks.subscribers.change(work, webhook_id, elsewhere, None)


@pytest.mark.parametrize("change", [pausing, deleting, moving])
async def test_what_is_in_hand_stops_where_somebody_changes_the_subscription(
    world: World, crm: Receiver, change: Change
) -> None:
    webhook, _secret = await world.subscribe(crm.url)
    subject = new_id()

    async def behave(received: Received) -> bytes:
        if received.what == (subject, 2):
            async with world.messaging.unit_of_work() as work:
                await change(world, work, webhook.id)
            await world.webhooks.courier.send_due()  # the courier's loop looks twice a second
        return await answering(204)(received)

    crm.behaviour = behave
    await world.publish(*[event(subject, n) for n in range(1, 11)])
    await world.follow()
    await world.webhooks.courier.send_due()
    await world.webhooks.courier.drain()

    assert crm.whats == [(subject, 1), (subject, 2)]
