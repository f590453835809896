"""Deliveries: in order, signed, tried again, given up; endpoints that hang, move, or are gone."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import orjson
import pytest
from prometheus_client import REGISTRY

from services.notification_service.webhooks.domain.words import DeliveryState, WebhookState
from services.notification_service.webhooks.jobs import keeping
from services.notification_service.webhooks.service.following import Deposed
from shared.bus.port import Record
from shared.db.database import Database
from shared.events import topics
from shared.kernel.errors import NotFound
from shared.kernel.ids import new_id
from tests.harness.databases import MakeMigratedUrl
from tests.service.notification.webhooks_kit import (
    START,
    Received,
    Receiver,
    World,
    answering,
    event,
    hanging,
    refusing,
)


@pytest.fixture
async def world(migrated_url: MakeMigratedUrl) -> AsyncIterator[World]:
    database = Database.open(migrated_url("notification"))
    opened = World(database)
    await opened.bus.ensure_topics()
    yield opened
    await opened.close()
    await database.close()


@pytest.fixture
async def crm() -> AsyncIterator[Receiver]:
    async with Receiver().listening() as receiver:
        yield receiver


async def test_every_event_comes_once_and_in_order_for_each_complaint(
    world: World, crm: Receiver
) -> None:
    async def take_its_time(received: Received) -> bytes:
        await asyncio.sleep(0.002)
        return await answering(204)(received)

    await world.subscribe(crm.url)
    subjects = [new_id() for _ in range(10)]
    crm.behaviour = take_its_time

    await world.say(*[event(one, n) for n in range(1, 8) for one in subjects])

    assert sorted(crm.whats) == sorted((one, n) for one in subjects for n in range(1, 8))
    for subject in subjects:
        assert [n for one, n in crm.whats if one == subject] == list(range(1, 8))
    assert crm.most_under_way > 1


async def test_the_request_is_what_standard_webhooks_and_cloud_events_say(
    world: World, crm: Receiver
) -> None:
    _webhook, secret = await world.subscribe(crm.url)
    subject = new_id()

    await world.say(event(subject, 1, "CaseOpened", number="7K3F-9Q2M-X"))

    (one,) = crm.received
    assert one.path == "/hook"
    assert one.headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    assert one.headers["host"] == f"127.0.0.1:{crm.port}"
    assert one.headers["webhook-id"] == one.event["id"]
    assert one.headers["webhook-timestamp"] == str(int(START.timestamp()))
    assert one.event["data"] == {"number": "7K3F-9Q2M-X"}
    assert one.event["partitionkey"] == one.event["subject"] == subject
    assert _verified_elsewhere(one, secret)
    assert not _verified_elsewhere(replace(one, body=one.body.replace(b"7K3F", b"8K3F")), secret)


_VERIFY = """
import json, sys
from datetime import datetime, timezone
from unittest import mock
import standardwebhooks.webhooks as library
given = json.load(sys.stdin)
now = datetime.fromtimestamp(int(given["headers"]["webhook-timestamp"]), timezone.utc)
with mock.patch.object(library, "datetime", mock.Mock(wraps=datetime, now=lambda tz: now)):
    try:
        library.Webhook(given["secret"]).verify(given["body"], given["headers"])
    except library.WebhookVerificationError:
        sys.exit(3)
"""


def _verified_elsewhere(received: Received, secret: str) -> bool:
    """Ask the official library in a process of its own, at the instant of the manual clock."""
    given = {
        "secret": secret,
        "body": received.body.decode(),
        "headers": dict(received.headers),
    }
    done = subprocess.run(
        [sys.executable, "-c", _VERIFY], input=orjson.dumps(given), check=False, timeout=30
    )
    assert done.returncode in {0, 3}
    return done.returncode == 0


async def test_both_keys_sign_while_a_rotation_lasts(world: World, crm: Receiver) -> None:
    webhook, old = await world.subscribe(crm.url)
    async with world.messaging.unit_of_work() as work:
        _webhook, new = await world.webhooks.subscribers.rotate(work, webhook.id)
    subject = new_id()

    await world.say(event(subject, 1))
    world.clock.advance(timedelta(days=1))
    await world.say(event(subject, 2))

    during, after = crm.received
    assert len(during.headers["webhook-signature"].split(" ")) == 2
    assert _verified_elsewhere(during, old)
    assert _verified_elsewhere(during, new)
    assert len(after.headers["webhook-signature"].split(" ")) == 1
    assert not _verified_elsewhere(after, old)
    assert _verified_elsewhere(after, new)


async def test_secrets_lie_sealed_in_the_database(world: World, crm: Receiver) -> None:
    webhook, secret = await world.subscribe(crm.url)

    stored = (await world.state(webhook)).secrets

    assert secret.encode() not in stored
    assert b"whsec_" not in stored


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
    parked_before = _count("redress_webhook_attempts_total", outcome="parked")
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
    assert _value("redress_webhook_parked") == 1
    assert _count("redress_webhook_attempts_total", outcome="parked") == parked_before + 1


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
    assert await world.resend(webhook, event_id=parked.event_id) == 1
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

    async with world.messaging.unit_of_work() as work:
        skipped = await world.webhooks.deliveries.skip(work, webhook.id, parked.event_id)
    await world.deliver()

    assert skipped.state == DeliveryState.SKIPPED
    assert crm.whats[-1] == (subject, 2)
    assert [row.state for row in await world.listed(webhook)] == ["skipped", "delivered"]


async def test_a_range_is_sent_again_in_order_and_nothing_else(world: World, crm: Receiver) -> None:
    webhook, _secret = await world.subscribe(crm.url)
    subjects = [new_id() for _ in range(3)]
    await world.say(*[event(one, n) for n in (1, 2) for one in subjects])
    crm.received.clear()

    none = await world.resend(webhook, between=(START + timedelta(hours=1), START))
    assert none == 0
    again = await world.resend(webhook, between=(START, START + timedelta(seconds=1)))
    await world.deliver()

    assert again == 6
    for subject in subjects:
        assert [n for one, n in crm.whats if one == subject] == [1, 2]


async def test_an_event_that_was_never_for_an_endpoint_cannot_be_sent_again(
    world: World, crm: Receiver
) -> None:
    webhook, _secret = await world.subscribe(crm.url)

    with pytest.raises(NotFound):
        await world.resend(webhook, event_id=new_id())


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
    assert _value("redress_webhook_endpoints", state="suspended") == 1
    assert (_value("redress_webhook_oldest_pending_seconds") or 0) >= 3600

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


async def test_retry_after_is_waited_for(world: World, crm: Receiver) -> None:
    webhook, _secret = await world.subscribe(crm.url)
    crm.behaviour = answering(429, "Retry-After: 120\r\n")

    await world.say(event(new_id(), 1))

    (row,) = await world.listed(webhook)
    assert row.next_attempt_at == START + timedelta(seconds=120)


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


async def test_a_record_that_is_no_event_holds_nobody_up(world: World, crm: Receiver) -> None:
    before = _value("redress_webhook_unreadable_total") or 0
    await world.subscribe(crm.url)
    subject = new_id()
    broken = Record(topics.COMPLAINTS, subject, b"{", event(subject, 1).headers)

    await world.say(broken, event(subject, 2), event(new_id(), 1, category="x" * 99, department=7))

    assert len(crm.received) == 2
    assert (_value("redress_webhook_unreadable_total") or 0) == before + 1


async def test_filters_choose_by_type_category_and_department(world: World) -> None:
    async with (
        Receiver().listening() as typed,
        Receiver().listening() as logistics,
        Receiver().listening() as warehouse,
    ):
        await world.subscribe(typed.url, types=["CaseTransferred"])
        await world.subscribe(logistics.url, categories=["logistics"])
        await world.subscribe(warehouse.url, departments=["warehouse"])
        short, broken = new_id(), new_id()

        await world.say(
            event(short, 1, "ComplaintReceived", category="logistics.short"),
            event(broken, 1, "ComplaintReceived", category="product.quality"),
            event(short, 1, "CaseOpened", department="warehouse"),
            event(broken, 1, "CaseOpened", department="product"),
        )
        await world.say(
            event(short, 2, "CaseTransferred", department="product"),
            event(short, 3, "CustomerContacted"),
            event(broken, 2, "CaseTransferred", department="warehouse"),
            event(broken, 1, "NotificationSent"),
        )

    def kinds(receiver: Receiver) -> list[tuple[str, str]]:
        found = [(one.event["subject"], one.event["type"]) for one in receiver.received]
        return [("short" if one == short else "broken", type_) for one, type_ in found]

    assert sorted(kinds(typed)) == [("broken", "CaseTransferred"), ("short", "CaseTransferred")]
    assert kinds(logistics) == [
        ("short", "ComplaintReceived"),
        ("short", "CaseOpened"),
        ("short", "CaseTransferred"),
        ("short", "CustomerContacted"),
    ]
    assert [one for one in kinds(warehouse) if one[0] == "short"] == [
        ("short", "CaseOpened"),
        ("short", "CaseTransferred"),
    ]
    assert [one for one in kinds(warehouse) if one[0] == "broken"] == [
        ("broken", "CaseTransferred"),
        ("broken", "NotificationSent"),
    ]


async def test_what_was_said_before_a_subscription_is_not_for_it(
    world: World, crm: Receiver
) -> None:
    subject = new_id()
    await world.publish(event(subject, 1))  # and nobody has followed the log yet

    await world.subscribe(crm.url)
    await world.say(event(subject, 2))

    assert crm.whats == [(subject, 2)]


async def test_deliveries_are_kept_for_as_long_as_promised_and_cleared_away_in_steps(
    world: World, crm: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "_ROWS", 50)
    webhook, _secret = await world.subscribe(crm.url)
    bad = new_id()
    crm.behaviour = refusing(lambda one: one.what == (bad, 1))
    await world.say(*[event(new_id(), 1) for _ in range(60)], event(bad, 1))
    expired = _value("redress_webhook_expired_total") or 0
    world.clock.advance(timedelta(days=30, seconds=1))
    await world.say(event(bad, 2))

    steps = [await world.webhooks.keeper.clear() for _ in range(3)]
    await world.deliver()

    assert steps == [50, 11, 0]
    assert (_value("redress_webhook_expired_total") or 0) == expired + 1
    assert [(row.subject, row.state) for row in await world.listed(webhook)] == [(bad, "delivered")]


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


async def test_the_loops_follow_send_and_end_when_they_are_told(
    world: World, crm: Receiver
) -> None:
    await world.subscribe(crm.url)
    stopping = asyncio.Event()
    parts = world.webhooks
    loops = [
        asyncio.ensure_future(loop(stopping))
        for loop in (
            parts.following.run,
            parts.courier.send,
            parts.courier.settle,
            parts.courier.keep,
            parts.keeper.run,
        )
    ]
    subjects = [new_id() for _ in range(5)]

    for number in range(1, 6):
        await world.publish(*[event(one, number) for one in subjects])
    async with asyncio.timeout(30):
        while len(crm.received) < 25:
            await asyncio.sleep(0.02)
    stopping.set()
    async with asyncio.timeout(20):
        await asyncio.gather(*loops)

    for subject in subjects:
        numbers = [n for one, n in crm.whats if one == subject]
        assert all(later == earlier + 1 for earlier, later in pairwise(numbers))


def _value(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, labels)


def _count(name: str, **labels: str) -> float:
    return _value(name, **labels) or 0.0
