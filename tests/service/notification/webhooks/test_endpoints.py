"""Endpoints that are gone, paused, dead or deleted, and what was said meanwhile."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.notification_service.webhooks.domain.words import WebhookState
from shared.kernel.errors import NotFound
from shared.kernel.ids import new_id
from tests.service.notification.webhooks.kit import (
    START,
    Receiver,
    World,
    answering,
    event,
    value_of,
)


async def test_gone_disables_an_endpoint_at_once_and_resuming_catches_up(
    world: World, crm: Receiver
) -> None:
    webhook, _secret = await world.subscribe(crm.url)
    subject = new_id()
    crm.behaviour = answering(410)

    await world.say(event(subject, 1))
    await world.say(event(subject, 2), event(new_id(), 1))

    found = await world.state(webhook)
    assert (found.state, found.reason) == (WebhookState.DISABLED, "answered 410")
    assert len(crm.received) == 1
    crm.behaviour = answering(204)
    async with world.messaging.unit_of_work() as work:
        await world.webhooks.subscribers.resume(work, webhook.id)
    await world.deliver()
    assert [n for one, n in crm.whats if one == subject] == [1, 1, 2]
    assert {row.state for row in await world.listed(webhook)} == {"delivered"}


async def test_a_paused_endpoint_gathers_and_catches_up_in_order(
    world: World, crm: Receiver
) -> None:
    webhook, _secret = await world.subscribe(crm.url)
    subject = new_id()
    async with world.messaging.unit_of_work() as work:
        await world.webhooks.subscribers.pause(work, webhook.id)

    await world.say(*[event(subject, n) for n in range(1, 31)])
    assert crm.received == []
    async with world.messaging.unit_of_work() as work:
        await world.webhooks.subscribers.resume(work, webhook.id)
    await world.deliver()

    assert crm.whats == [(subject, n) for n in range(1, 31)]


async def test_a_dead_endpoint_is_suspended_probed_and_catches_up_when_it_returns(
    world: World, crm: Receiver
) -> None:
    webhook, _secret = await world.subscribe(crm.url)
    subjects = [new_id() for _ in range(20)]
    crm.behaviour = answering(503)
    await world.say(*[event(one, 1) for one in subjects])
    for _ in range(6):
        world.clock.advance(timedelta(minutes=10))
        await world.deliver()
    found = await world.state(webhook)
    assert found.state == WebhookState.SUSPENDED
    assert found.failing_since == START
    await world.webhooks.keeper.measure()
    assert value_of("redress_webhook_endpoints", state="suspended") == 1
    assert (value_of("redress_webhook_oldest_pending_seconds") or 0) >= 3600

    # One probe at a time: while it is away, nobody's delivery is given up.
    crm.received.clear()
    for _ in range(30):
        world.clock.advance(timedelta(hours=1))
        await world.webhooks.courier.send_due()
        await world.webhooks.courier.drain()
        await world.webhooks.courier.settle_gathered()
    assert len(crm.received) == 30
    assert len({one.what for one in crm.received}) == 20
    assert {row.state for row in await world.listed(webhook)} == {"pending"}
    await world.say(*[event(one, 2) for one in subjects])

    crm.behaviour = answering(204)
    crm.received.clear()
    world.clock.advance(timedelta(minutes=1))
    await world.deliver()

    assert (await world.state(webhook)).state == WebhookState.ACTIVE
    assert sorted(crm.whats) == sorted((one, n) for one in subjects for n in (1, 2))
    for subject in subjects:
        assert [n for one, n in crm.whats if one == subject] == [1, 2]


async def test_after_an_outage_what_waits_goes_with_the_first_success(
    world: World, crm: Receiver
) -> None:
    await world.subscribe(crm.url)
    subjects = [new_id() for _ in range(8)]
    crm.behaviour = answering(500)
    await world.say(*[event(one, 1) for one in subjects])
    for _ in range(6):
        world.clock.advance(timedelta(minutes=4))
        await world.deliver()
    crm.behaviour = answering(204)
    crm.received.clear()

    await world.say(event(new_id(), 1))

    assert len(crm.received) == 9


async def test_a_deleted_subscription_is_sent_nothing_and_leaves_nothing(
    world: World, crm: Receiver
) -> None:
    webhook, _secret = await world.subscribe(crm.url)
    await world.publish(*[event(new_id(), 1) for _ in range(3)])
    await world.follow()

    async with world.messaging.unit_of_work() as work:
        await world.webhooks.subscribers.delete(work, webhook.id, None)
    await world.deliver()
    cleared = [await world.webhooks.keeper.clear() for _ in range(3)]

    assert crm.received == []
    assert cleared == [6, 0, 0]
    with pytest.raises(NotFound):
        await world.state(webhook)


async def test_an_address_that_is_not_allowed_is_never_connected_to(
    world: World, crm: Receiver
) -> None:
    webhook, _secret = await world.subscribe(crm.url)
    world = world.with_settings(allowed_networks="")

    await world.say(event(new_id(), 1))

    assert crm.received == []
    (row,) = await world.listed(webhook)
    assert row.last_error == "not called: the address is not allowed"


async def test_what_waits_for_a_deleted_endpoint_raises_no_alarm(
    world: World, crm: Receiver
) -> None:
    world = world.with_settings(give_up_seconds=1)
    webhook, _secret = await world.subscribe(crm.url)
    crm.behaviour = answering(500)
    subject = new_id()
    await world.say(event(subject, 1), event(subject, 2))
    world.clock.advance(timedelta(seconds=5))
    await world.deliver()
    await world.webhooks.keeper.measure()
    assert value_of("redress_webhook_parked") == 1
    assert value_of("redress_webhook_oldest_pending_seconds") == 5

    async with world.messaging.unit_of_work() as work:
        await world.webhooks.subscribers.delete(work, webhook.id, None)
    await world.webhooks.keeper.measure()

    assert value_of("redress_webhook_parked") == 0
    assert value_of("redress_webhook_oldest_pending_seconds") == 0
