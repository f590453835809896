"""Deliveries refused, cut or lost: tried again, parked, sent again; one holds up no other."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from services.notification_service.webhooks.domain.words import DeliveryState, WebhookState
from shared.kernel.errors import NotFound
from shared.kernel.ids import new_id
from tests.service.notification.gateways.badly_behaved import http_server
from tests.service.notification.webhooks.kit import (
    START,
    Received,
    Receiver,
    World,
    answering,
    count_of,
    event,
    hanging,
    refusing,
    value_of,
)


async def test_a_complaint_that_is_refused_holds_back_itself_and_no_other(
    world: World, crm: Receiver
) -> None:
    webhook, _secret = await world.subscribe(crm.url)
    bad, good = new_id(), new_id()
    crm.behaviour = refusing(lambda one: one.what == (bad, 2))

    await world.say(*[event(one, n) for n in range(1, 5) for one in (bad, good)])

    assert [n for one, n in crm.whats if one == good] == [1, 2, 3, 4]
    assert [n for one, n in crm.whats if one == bad] == [1, 2]
    rows = await world.listed(webhook, subject=bad)
    assert [row.state for row in rows] == ["delivered", "pending", "pending", "pending"]
    assert (rows[1].attempts, rows[1].last_status, rows[1].last_error) == (1, 500, "answered 500")
    assert rows[1].next_attempt_at is not None
    assert (await world.state(webhook)).state == WebhookState.ACTIVE


async def test_pauses_between_tries_grow_up_to_a_limit_and_end_in_parking(
    world: World, crm: Receiver
) -> None:
    parked_before = count_of("redress_webhook_attempts_total", outcome="parked")
    world = world.with_settings(longest_retry_seconds=60, give_up_seconds=1200)
    webhook, _secret = await world.subscribe(crm.url)
    bad, good = new_id(), new_id()
    crm.behaviour = refusing(lambda one: one.what[0] == bad)
    await world.say(event(bad, 1), event(bad, 2))
    waits = []

    for number in range(1, 400):
        (row, _behind) = await world.listed(webhook, subject=bad)
        if row.state == DeliveryState.PARKED:
            break
        assert row.next_attempt_at is not None
        waits.append(row.next_attempt_at - world.clock.now())
        world.clock.advance(row.next_attempt_at - world.clock.now())
        await world.say(event(good, number))  # the endpoint lives: it is this complaint that fails

    first, second = timedelta(seconds=5), timedelta(seconds=10)
    longest, patience = timedelta(seconds=60), timedelta(seconds=1200)
    assert first / 2 <= waits[0] <= first
    assert second / 2 <= waits[1] <= second
    assert all(longest / 2 <= wait <= longest for wait in waits[-20:])
    assert len(set(waits[-20:])) > 10
    assert patience <= world.clock.now() - START < patience + longest
    assert [row.state for row in await world.listed(webhook, subject=bad)] == ["parked", "pending"]
    assert (bad, 2) not in crm.whats
    await world.webhooks.keeper.measure()
    assert value_of("redress_webhook_parked") == 1
    assert count_of("redress_webhook_attempts_total", outcome="parked") == parked_before + 1


async def test_what_was_parked_is_sent_again_in_order_with_what_waits_behind_it(
    world: World, crm: Receiver
) -> None:
    world = world.with_settings(give_up_seconds=1)
    webhook, _secret = await world.subscribe(crm.url)
    subject = new_id()
    crm.behaviour = answering(500)
    await world.say(event(subject, 1), event(subject, 2))
    world.clock.advance(timedelta(seconds=5))
    await world.deliver()
    (parked, _behind) = await world.listed(webhook)
    assert parked.state == DeliveryState.PARKED
    crm.behaviour = answering(204)
    crm.received.clear()

    await world.say(event(subject, 3))
    assert crm.received == []
    assert await world.resend(webhook, parked.event_id) == 1
    await world.deliver()

    assert crm.whats == [(subject, 1), (subject, 2), (subject, 3)]
    assert crm.received[0].headers["webhook-id"] == parked.event_id
    assert {row.state for row in await world.listed(webhook)} == {"delivered"}


async def test_an_event_that_is_never_taken_can_be_skipped(world: World, crm: Receiver) -> None:
    world = world.with_settings(give_up_seconds=1)
    webhook, _secret = await world.subscribe(crm.url)
    subject = new_id()
    crm.behaviour = refusing(lambda one: one.what == (subject, 1), 422)
    await world.say(event(subject, 1), event(subject, 2))
    world.clock.advance(timedelta(seconds=5))
    await world.deliver()
    (parked, _behind) = await world.listed(webhook)

    skipped = await world.skip(webhook, parked.event_id)
    await world.deliver()

    assert skipped.state == DeliveryState.SKIPPED
    assert crm.whats[-1] == (subject, 2)
    assert [row.state for row in await world.listed(webhook)] == ["skipped", "delivered"]


async def test_a_range_is_sent_again_in_order_and_nothing_else(world: World, crm: Receiver) -> None:
    webhook, _secret = await world.subscribe(crm.url)
    subjects = [new_id() for _ in range(3)]
    await world.say(*[event(one, n) for n in (1, 2) for one in subjects])
    crm.received.clear()

    none = await world.resend_range(webhook, START + timedelta(hours=1), START)
    assert none == 0
    again = await world.resend_range(webhook, START, START + timedelta(seconds=1))
    await world.deliver()

    assert again == 6
    for subject in subjects:
        assert [n for one, n in crm.whats if one == subject] == [1, 2]


async def test_an_event_that_was_never_for_an_endpoint_cannot_be_sent_again(
    world: World, crm: Receiver
) -> None:
    webhook, _secret = await world.subscribe(crm.url)

    with pytest.raises(NotFound):
        await world.resend(webhook, new_id())


async def test_an_endpoint_that_hangs_is_cut_and_holds_up_no_other(
    world: World, crm: Receiver
) -> None:
    world = world.with_settings(timeout_seconds=2)
    async with Receiver(hanging).listening() as stuck:
        hung, _secret = await world.subscribe(stuck.url)
        await world.subscribe(crm.url)
        subjects = [new_id() for _ in range(30)]

        await world.publish(*[event(one, 1) for one in subjects])
        await world.follow()
        async with asyncio.timeout(20):
            while len(crm.received) < 30:
                await world.webhooks.courier.send_due()
                await asyncio.sleep(0.01)
                await world.webhooks.courier.settle_gathered()
        assert stuck.most_under_way <= 8
        await world.webhooks.courier.drain()
        await world.webhooks.courier.settle_gathered()

        tried = [row for row in await world.listed(hung) if row.attempts]
        assert {row.last_error for row in tried} == {"no answer within 2 s"}
        stuck.received.clear()
        stuck.most_under_way = 0
        world.clock.advance(timedelta(seconds=5))
        for _ in range(2):
            await world.webhooks.courier.send_due()
            await world.webhooks.courier.drain()
            await world.webhooks.courier.settle_gathered()
        assert stuck.most_under_way == 1


async def test_an_answer_that_drips_for_ever_is_cut(world: World, crm: Receiver) -> None:
    async def dripping(_received: Received) -> bytes:
        return b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 100_000

    webhook, _secret = await world.subscribe(crm.url)
    crm.behaviour = dripping

    async with asyncio.timeout(20):
        await world.say(event(new_id(), 1))

    assert [row.state for row in await world.listed(webhook)] == ["delivered"]


async def test_an_endpoint_that_never_comes_to_its_status_is_let_go(world: World) -> None:
    world = world.with_settings(timeout_seconds=0.3)
    async with http_server() as endpoint:
        endpoint.drips = "head"
        webhook, _secret = await world.subscribe(endpoint.url)
        async with asyncio.timeout(20):
            await world.say(event(new_id(), 1))

    assert [row.last_error for row in await world.listed(webhook)] == ["no answer within 0.3 s"]


async def test_a_timeout_after_the_event_was_taken_comes_again_under_the_same_id(
    world: World, crm: Receiver
) -> None:
    world = world.with_settings(timeout_seconds=2)
    webhook, _secret = await world.subscribe(crm.url)
    subject = new_id()
    crm.behaviour = hanging
    await world.say(event(subject, 1), event(subject, 2))
    crm.behaviour = answering(200)

    world.clock.advance(timedelta(seconds=5))
    await world.deliver()

    assert crm.whats == [(subject, 1), (subject, 1), (subject, 2)]
    first, again, _second = [one.headers["webhook-id"] for one in crm.received]
    assert first == again
    assert {row.state for row in await world.listed(webhook)} == {"delivered"}


async def test_a_redirect_is_a_failure_and_nobody_goes_there(world: World, crm: Receiver) -> None:
    webhook, _secret = await world.subscribe(crm.url)
    async with Receiver().listening() as elsewhere:
        crm.behaviour = answering(307, f"Location: {elsewhere.url}\r\n")

        await world.say(event(new_id(), 1))

        assert elsewhere.received == []
    (row,) = await world.listed(webhook)
    assert (row.state, row.last_status) == (DeliveryState.PENDING, 307)
    assert row.last_error == "answered 307: redirects are not followed"


@pytest.mark.parametrize(
    ("wish", "seconds"),
    [
        ("120", 120),
        ("99999999999999", 900),
        ("Mon, 23 Nov 2026 02:02:00 GMT", 120),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 900),
    ],
)
async def test_retry_after_is_waited_for(
    world: World, crm: Receiver, wish: str, seconds: int
) -> None:
    webhook, _secret = await world.subscribe(crm.url)
    crm.behaviour = answering(429, f"Retry-After: {wish}\r\n")

    await world.say(event(new_id(), 1))

    (row,) = await world.listed(webhook)
    assert row.next_attempt_at == START + timedelta(seconds=seconds)


@pytest.mark.parametrize("wish", ["soon", "-5", "Fri, 31 Dec 1999 23:59:59 GMT", "Mon, 23 Nov"])
async def test_a_retry_after_that_asks_for_nothing_changes_nothing(
    world: World, crm: Receiver, wish: str
) -> None:
    webhook, _secret = await world.subscribe(crm.url)
    crm.behaviour = answering(503, f"Retry-After: {wish}\r\n")

    await world.say(event(new_id(), 1))

    (row,) = await world.listed(webhook)
    assert row.next_attempt_at is not None
    assert row.next_attempt_at <= START + timedelta(seconds=5)
