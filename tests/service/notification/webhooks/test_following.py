"""From the log to deliveries: which events are whose, and for how long they are kept."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import pairwise

import pytest

from services.notification_service.webhooks.jobs import keeping
from shared.bus.port import Record
from shared.events import topics
from shared.kernel.ids import new_id
from tests.harness.complaints import received
from tests.service.notification.webhooks.kit import (
    START,
    Receiver,
    World,
    count_of,
    event,
    refusing,
    value_of,
)


async def test_a_record_that_is_no_event_holds_nobody_up(world: World, crm: Receiver) -> None:
    before = value_of("redress_webhook_unreadable_total") or 0
    await world.subscribe(crm.url)
    subject = new_id()
    broken = Record(topics.COMPLAINTS, subject, b"{", event(subject, 1).headers)

    await world.say(broken, event(subject, 2), event(new_id(), 1, category="x" * 99, department=7))

    assert len(crm.received) == 2
    assert (value_of("redress_webhook_unreadable_total") or 0) == before + 1


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


async def test_what_is_said_while_nobody_has_subscribed_counts_for_later_filters(
    world: World,
) -> None:
    before = count_of("redress_webhook_unreadable_total")
    whole, newer, lean, gone = (new_id() for _ in range(4))
    said = received(whole, START).model_dump(mode="json")
    await world.say(
        event(whole, 1, "ComplaintReceived", **said),
        event(newer, 1, "ComplaintReceived", **said | {"department": "warehouse"}),
        event(lean, 1, "ComplaintReceived", category="logistics.late"),
        event(gone, 1, "CaseOpened", department="warehouse", category="logistics.late"),
        event(gone, 2, "CaseTransferred", department=None),
        Record(topics.COMPLAINTS, "x", b'{"category": "logistics"}', ()),
        Record(topics.COMPLAINTS, gone, b'{"category": ', event(gone, 3).headers),
    )
    assert count_of("redress_webhook_unreadable_total") == before

    async with Receiver().listening() as logistics, Receiver().listening() as warehouse:
        await world.subscribe(logistics.url, categories=["logistics"])
        await world.subscribe(warehouse.url, departments=["warehouse"])
        await world.say(*(event(subject, 4) for subject in (whole, newer, lean, gone)))

    def subjects(receiver: Receiver) -> set[str]:
        return {one.event["subject"] for one in receiver.received}

    assert subjects(logistics) == {whole, newer, lean, gone}
    assert subjects(warehouse) == {newer}


async def test_signals_are_chosen_by_what_they_say_and_keep_their_own_order(world: World) -> None:
    async with (
        Receiver().listening() as typed,
        Receiver().listening() as logistics,
        Receiver().listening() as warehouse,
    ):
        await world.subscribe(typed.url, types=["HotspotDetected"])
        await world.subscribe(logistics.url, categories=["logistics"])
        await world.subscribe(warehouse.url, departments=["warehouse"])
        rising, other, incident = new_id(), new_id(), new_id()

        await world.say(
            event(rising, 1, "HotspotDetected", category="logistics.short", department="warehouse"),
            event(rising, 2, "HotspotDetected", category="logistics.short", department="warehouse"),
            event(other, 1, "HotspotDetected", category="billing.overcharge"),
            event(incident, 1, "IncidentOpened", department="warehouse", hotspot=rising),
        )

    assert sorted(typed.whats) == sorted([(rising, 1), (rising, 2), (other, 1)])
    assert logistics.whats == [(rising, 1), (rising, 2)]
    assert sorted(warehouse.whats) == sorted([(rising, 1), (rising, 2), (incident, 1)])
    assert [one for one in typed.whats if one[0] == rising] == [(rising, 1), (rising, 2)]


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
    expired = value_of("redress_webhook_expired_total") or 0
    world.clock.advance(timedelta(days=30, seconds=1))
    await world.say(event(bad, 2))

    steps = [await world.webhooks.keeper.clear() for _ in range(3)]
    await world.deliver()

    assert steps == [50, 11, 0]
    assert (value_of("redress_webhook_expired_total") or 0) == expired + 1
    assert [(row.subject, row.state) for row in await world.listed(webhook)] == [(bad, "delivered")]


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
