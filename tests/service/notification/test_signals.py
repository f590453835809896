"""Hot spots and incidents are told to who can act on them: each once, whoever else is told."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from services.notification_service.gateways.domain.port import NotAccepted, Uncertain
from services.notification_service.messages.models import notifications
from services.notification_service.messages.repository import intents
from services.notification_service.messages.repository.routing import routing_table
from services.notification_service.messages.service.deciding import Decision, Operators
from services.notification_service.messages.service.reading import Archive
from shared.events.cases import IncidentLinked
from shared.events.signals import HotspotDetected, IncidentOpened
from shared.http.pagination import PageRequest
from shared.kernel.ids import new_id
from tests.service.notification.conftest import START, Notification, received
from tests.service.notification.test_rooms import with_room
from tests.service.notification.test_sending import (
    Scripted,
    crash_while_sending,
    gateways,
    said,
)

HOUSE: Sequence[Mapping[str, str]] = (
    {"id": "li.na", "role": "agent", "department": "logistics", "name": "李娜"},
    {"id": "zheng.hao", "role": "lead", "department": "logistics", "name": "郑浩"},
    {"id": "feng.gang", "role": "manager", "department": "logistics", "name": "冯刚"},
    {"id": "liu.qiang", "role": "manager", "department": "service", "name": "刘强"},
    {"id": "tang.wei", "role": "quality", "department": "quality", "name": "唐伟"},
    {"id": "emma", "role": "quality", "department": "quality", "name": "Emma", "locale": "en"},
)


@pytest.fixture
def house(notification: Notification) -> Notification:
    notification.neighbours.people = [{**one, "email": f"{one['id']}@example.com"} for one in HOUSE]
    return notification


def hotspot(**changes: object) -> HotspotDetected:
    given: dict[str, object] = {
        "hotspot": new_id(),
        "category": "logistics.short",
        "product": "SKU-88",
        "region": "CN-31",
        "department": "logistics",
        "count": 9,
        "usual": 1.5,
        "since": START - timedelta(hours=6),
        "until": START,
    }
    return HotspotDetected.model_validate(given | changes)


def incident(**changes: object) -> IncidentOpened:
    given: dict[str, object] = {
        "incident": new_id(),
        "category": "logistics.short",
        "department": "logistics",
        "owner": "zheng.hao",
        "complaints": 14,
    }
    return IncidentOpened.model_validate(given | changes)


async def states(notification: Notification) -> set[tuple[str, str, str | None]]:
    c = notifications.c
    async with notification.database.read() as connection:
        found = await connection.execute(select(c.recipient, c.state, c.reason))
        return {(row[0], row[1], row[2]) for row in found}


def addresses(gateway: Scripted) -> list[str]:
    return sorted(message.address.removesuffix("@example.com") for message in gateway.taken)


async def test_a_hot_spot_is_told_to_those_who_lead_the_department_and_to_quality(
    house: Notification,
) -> None:
    email = Scripted()
    house.use(gateways(email=email))

    await house.hear(hotspot())
    await house.deliver()

    assert addresses(email) == ["emma", "feng.gang", "tang.wei", "zheng.hao"]
    by_reader = {message.address.partition("@")[0]: message for message in email.taken}
    chinese, english = by_reader["tang.wei"], by_reader["emma"]
    assert chinese.subject == "“物流：短少”投诉突增 · SKU-88 · 上海，9 件"
    assert english.subject == "Complaints rising: Delivery: Short, SKU-88, Shanghai (9)"
    assert "11月23日（周一）04:00至11月23日（周一）10:00" in chinese.text
    link = "http://127.0.0.1:8000/dashboard/complaints?period=custom&from=2026-11-23&to=2026-11-24"
    assert f"{link}&category=logistics.short&product=SKU-88&region=CN-31" in english.text
    assert "/cases/" not in english.text


async def test_an_incident_is_told_to_who_leads_it_and_each_other_once(
    house: Notification,
) -> None:
    email = Scripted()
    house.use(gateways(email=email))

    await house.hear(incident(owner="tang.wei"))
    await house.deliver()

    assert addresses(email) == ["emma", "feng.gang", "tang.wei", "zheng.hao"]
    texts = {message.address.partition("@")[0]: message.text for message in email.taken}
    assert "牵头：您" in texts["tang.wei"]
    assert "牵头：唐伟" in texts["feng.gang"]
    assert "Lead: 唐伟" in texts["emma"]


async def test_the_owner_of_a_linked_case_is_told_and_led_to_the_case(house: Notification) -> None:
    email = Scripted()
    house.use(gateways(email=email))
    complaint = received()

    await house.hear(
        complaint,
        IncidentLinked(
            complaint_id=complaint.complaint_id, number=complaint.number, state="assigned",
            version=2, incident=new_id(), owner="li.na",
        ),
    )  # fmt: skip
    await house.deliver()

    (message,) = email.taken
    assert addresses(email) == ["li.na"]
    assert f"/cases/{complaint.number}" in message.text
    assert [kind for kind, _, _ in await said(house)] == ["NotificationSent"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"department": None}, ["emma", "tang.wei"]),
        ({"department": "closed-last-year"}, ["emma", "tang.wei"]),
    ],
)
async def test_without_a_department_quality_hear_of_it_once(
    house: Notification, changes: Mapping[str, object], told: Sequence[str]
) -> None:
    email = Scripted()
    house.use(gateways(email=email))

    await house.hear(hotspot(**changes))
    await house.deliver()

    assert addresses(email) == told


async def test_somebody_hears_of_it_where_there_is_no_quality(house: Notification) -> None:
    email = Scripted()
    house.use(gateways(email=email))
    house.neighbours.people = [
        {"id": "wang.min", "role": "agent", "email": "wang.min@example.com"},
        {"id": "boss", "role": "executive", "email": "boss@example.com"},
    ]

    await house.hear(hotspot(), incident())
    await house.deliver()

    assert addresses(email) == ["boss", "boss"]
    assert {state for _, state, reason in await states(house) if reason is None} == {"sent"}
    assert ("zheng.hao", "skipped", "no_address") in await states(house)


async def test_a_crash_between_finding_out_who_they_are_and_sending_doubles_nobody(
    house: Notification,
) -> None:
    email = Scripted()
    house.use(gateways(email=email))
    await house.hear(hotspot())
    await house.sender.send_batch()  # spreads the groups, sends nothing
    assert not email.taken

    house.use(gateways(email=email))
    await house.sender.take_over(everything=True)
    await house.deliver()

    assert addresses(email) == ["emma", "feng.gang", "tang.wei", "zheng.hao"]
    assert {state for _, state, _ in await states(house)} == {"sent"}


async def test_two_replicas_that_find_out_the_same_people_at_once_tell_each_once(
    house: Notification,
) -> None:
    await house.hear(hotspot(department="nobody-leads-it"))
    c = notifications.c
    async with house.database.read() as connection:
        chosen = select(c.id, c.recipient).order_by(c.id)
        groups = [(row[0], row[1]) for row in await connection.execute(chosen)]
    everybody = ["emma", "tang.wei"]

    async def spread(intent_id: str, group: str) -> bool:
        async with house.database.write() as connection:
            return await intents.spread(connection, intent_id, group, everybody, new_id)

    async with house.database.write() as connection:
        first = await intents.spread(connection, *groups[0], everybody, new_id)
        second = asyncio.create_task(spread(*groups[1]))
        await asyncio.wait({second}, timeout=0.2)  # it waits for the first to commit

    assert (first, await second) == (True, False)
    assert {recipient for recipient, _, _ in await states(house)} == {*everybody, groups[1][1]}


async def test_after_a_crash_while_sending_a_mail_goes_under_the_same_name(
    house: Notification,
) -> None:
    email = Scripted()
    house.use(gateways(email=email))
    await house.hear(hotspot(department=None))
    await house.sender.send_batch()
    await crash_while_sending(house)

    house.use(gateways(email=email))
    await house.sender.take_over(everything=True)
    await house.deliver()

    assert len(email.taken) == 4
    assert len({message.reference for message in email.taken}) == 2
    assert {state for _, state, _ in await states(house)} == {"sent"}


async def test_of_messages_about_signals_nothing_is_said_to_who_knows_complaints_only(
    house: Notification,
) -> None:
    email = Scripted()
    house.use(gateways(email=email))

    await house.hear(hotspot(), incident(owner="nobody.known"))
    await house.deliver()

    assert {state for _, state, _ in await states(house)} == {"sent", "skipped"}
    assert await said(house) == []


async def test_the_list_tells_what_a_message_is_about(house: Notification) -> None:
    signal = hotspot(department=None)
    await house.hear(signal)
    archive = Archive(database=house.database, vault=house.vault)

    async def listed(**filters: str) -> list[tuple[str, str]]:
        found = await archive.page(PageRequest(limit=9), filters)
        return [(one.about, one.about_id) for one in found]

    assert await listed() == [("hotspot", signal.hotspot)]
    assert await listed(about=signal.hotspot) == [("hotspot", signal.hotspot)]
    assert await listed(complaint_id=signal.hotspot) == []


async def test_a_hot_spot_that_grows_is_told_again_and_replaces_what_was_not_sent(
    house: Notification,
) -> None:
    email = Scripted()
    house.use(gateways(email=email))
    first = hotspot(department=None)
    second = first.model_copy(update={"count": 21})

    await house.hear(first, second)
    await house.deliver()
    await house.hear(first.model_copy(update={"count": 40}))
    await house.deliver()

    assert [message.subject for message in email.taken if message.locale == "zh-CN"] == [
        f"“物流：短少”投诉还在增多 · SKU-88 · 上海，{count} 件" for count in (21, 40)
    ]
    assert len(email.taken) == 4
    assert ("role:quality", "skipped", "superseded") in await states(house)


async def test_what_is_gathered_in_a_digest_leads_to_its_own_complaints(
    house: Notification, tmp_path: Path
) -> None:
    own = tmp_path / "ours.yaml"
    own.write_text("staff_incident: {urgency: never, calm: [email]}", encoding="utf-8")
    house.routing, house.digest_every = routing_table(own), timedelta(minutes=30)
    email = Scripted()
    house.use(gateways(email=email))
    signal = incident(department="nowhere")
    house.neighbours.people = [{"id": "zheng.hao", "email": "zheng.hao@example.com"}]

    await house.hear(signal, incident(category="billing.overcharge"))
    house.clock.advance(timedelta(hours=1))
    await house.deliver()

    (digest,) = email.taken
    assert "http://127.0.0.1:8000/dashboard/complaints?category=logistics.short" in digest.text
    assert "/dashboard/complaints?category=billing.overcharge" in digest.text


async def test_a_room_hears_of_a_hot_spot_once(house: Notification) -> None:
    chat = Scripted()
    with_room(house, chat)

    await house.hear(hotspot())
    await house.deliver()

    (post,) = chat.taken
    assert "物流：短少" in post.text


async def test_an_operator_decides_about_a_message_of_which_nobody_knows(
    house: Notification,
) -> None:
    sms = Scripted([Uncertain("no answer")], repeatable=False)
    house.use(gateways(sms=sms))
    house.neighbours.people = [
        {"id": "tang.wei", "role": "quality", "phone": "+8613800138000"},
    ]
    await house.hear(incident(owner=None))
    await house.deliver()
    c = notifications.c
    async with house.database.read() as connection:
        unknown = await connection.scalar(select(c.id).where(c.state == "unknown"))
    assert unknown is not None
    operators = Operators(house.messaging, wake=house.sender.wake, proof_after=timedelta(hours=24))

    decided = await operators.decide(unknown, Decision.MARK_SENT, by="q")

    assert (decided.state, decided.about) == ("sent", "incident")
    assert await said(house) == []


async def test_a_gateway_that_is_away_for_a_while_is_asked_again(house: Notification) -> None:
    email = Scripted([NotAccepted("away")] * 2)
    house.use(gateways(email=email))

    await house.hear(hotspot(department=None))
    for _ in range(3):
        await house.deliver()
        house.clock.advance(timedelta(minutes=15))

    assert addresses(email) == ["emma", "tang.wei"]
