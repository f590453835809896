"""Crashes, replicas and repeats: nothing is lost, and what comes twice has the same id."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from services.notification_service.webhooks.service.following import Deposed
from shared.kernel.ids import new_id
from tests.service.notification.webhooks.kit import (
    Receiver,
    World,
    answering,
    event,
    hanging,
)


async def test_a_crash_repeats_under_the_same_id_and_loses_nothing(
    world: World, crm: Receiver
) -> None:
    webhook, _secret = await world.subscribe(crm.url)
    subject = new_id()
    await world.publish(*[event(subject, n) for n in range(1, 6)])
    await world.follow()
    await world.webhooks.courier.send_due()
    await world.webhooks.courier.drain()
    # All five were taken, and nothing was written down.

    after = world.replaced()
    stopping = asyncio.Event()
    sending = asyncio.ensure_future(after.webhooks.courier.send(stopping))
    async with asyncio.timeout(20):
        while len(crm.received) < 10:
            await asyncio.sleep(0.01)
    stopping.set()
    await sending
    await after.webhooks.courier.settle_gathered()

    assert crm.whats == [(subject, n) for n in range(1, 6)] * 2
    ids = [one.headers["webhook-id"] for one in crm.received]
    assert ids[:5] == ids[5:]
    assert {row.state for row in await world.listed(webhook)} == {"delivered"}


async def test_what_another_replica_has_in_hand_is_left_to_it_until_its_lease_ends(
    world: World, crm: Receiver
) -> None:
    await world.subscribe(crm.url)
    other = world.replaced("notification-2")
    await world.publish(event(new_id(), 1))
    await world.follow()
    crm.behaviour = hanging
    await world.webhooks.courier.send_due()

    assert await other.webhooks.courier.send_due() == 0
    world.clock.advance(timedelta(minutes=3))
    crm.behaviour = answering(204)
    await other.deliver()

    assert len(crm.received) == 2


async def test_only_one_replica_makes_deliveries_of_an_event(world: World, crm: Receiver) -> None:
    webhook, _secret = await world.subscribe(crm.url)
    other = world.replaced("notification-2")
    await world.publish(event(new_id(), 1))
    await world.webhooks.follower.begin()
    await other.webhooks.follower.begin()
    await world.follow()

    with pytest.raises(Deposed):
        await other.webhooks.follower.take([], {})

    assert len(await world.listed(webhook)) == 1


async def test_an_event_that_a_relay_repeats_is_delivered_once(world: World, crm: Receiver) -> None:
    await world.subscribe(crm.url)
    once = event(new_id(), 1)

    await world.say(once, once)
    await world.say(once)

    assert len(crm.received) == 1
