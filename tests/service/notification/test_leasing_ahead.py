"""Where batches take long the next one is leased beside: once each, and none is left behind."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notification_service.gateways.domain.port import Outgoing
from services.notification_service.gateways.service import Gateways
from services.notification_service.messages import jobs
from services.notification_service.messages.domain import lanes
from services.notification_service.messages.models import notifications
from services.notification_service.messages.repository import deliveries
from services.notification_service.messages.repository.deliveries import Marked
from shared.events.words import MessageChannel
from tests.service.notification.conftest import Notification, opened, received

OVERDUE_SECONDS = 0.15
"""A little more than any batch gathers."""


def _nobody(_count: int) -> None:
    """Tell nobody."""


@dataclass
class Telling:
    """A gateway that takes everything and tells how much it has."""

    tell: Callable[[int], None] = _nobody
    taken: list[Outgoing] = field(default_factory=list)
    repeatable: bool = True
    takes_seconds: float = 0

    async def send(self, message: Outgoing) -> None:
        await asyncio.sleep(self.takes_seconds)
        self.taken.append(message)
        self.tell(len(self.taken))

    async def close(self) -> None:
        return None


@pytest.fixture
def sms(notification: Notification, monkeypatch: pytest.MonkeyPatch) -> Telling:
    """The SMS gateway of a sender that takes two messages at a time and is slow with them."""
    monkeypatch.setattr(jobs, "_BATCH", 2)
    notification.neighbours.late_seconds = OVERDUE_SECONDS
    gateway = Telling()
    notification.use(
        Gateways({MessageChannel.SMS: gateway, MessageChannel.EMAIL: Telling()}, configured=True)
    )
    return gateway


async def queue(notification: Notification, count: int) -> None:
    for number in range(count):
        complaint = received()
        notification.knows(complaint, phone=f"+86138001380{number:02d}")
        await notification.hear(complaint, opened(complaint))


async def states(notification: Notification) -> Counter[tuple[str, bool]]:
    """How many messages stand in which state, and whether somebody holds them."""
    chosen = select(notifications.c.state, notifications.c.leased_by.is_not(None))
    async with notification.database.read() as connection:
        return Counter((row[0], bool(row[1])) for row in await connection.execute(chosen))


async def send_until(notification: Notification, stopping: asyncio.Event) -> None:
    async with asyncio.timeout(20):
        await notification.sender.send(stopping)
    await notification.sender.settle_gathered()


async def test_the_next_batch_is_held_when_its_predecessor_is_handed_over(
    notification: Notification, sms: Telling
) -> None:
    await queue(notification, 6)

    await notification.sender.send_batch(asyncio.Event())

    assert await states(notification) == {
        ("sending", True): 2,
        ("queued", True): 2,
        ("queued", False): 2,
    }
    await notification.sender.drain()


async def test_each_goes_once(notification: Notification, sms: Telling) -> None:
    await queue(notification, 7)
    stopping = asyncio.Event()
    sms.tell = lambda count: stopping.set() if count == 7 else None

    await send_until(notification, stopping)

    assert Counter(one.address for one in sms.taken).most_common(1)[0][1] == 1
    assert await states(notification) == {("sent", False): 7}


async def test_who_is_told_to_stop_while_it_leases_sends_what_it_holds_and_takes_no_more(
    notification: Notification, sms: Telling, monkeypatch: pytest.MonkeyPatch
) -> None:
    await queue(notification, 8)
    stopping = asyncio.Event()
    mark = deliveries.mark_sending

    async def stopped_meanwhile(
        connection: AsyncConnection, rows: Sequence[Marked], *, by: str, until: datetime
    ) -> set[str]:
        stopping.set()
        return await mark(connection, rows, by=by, until=until)

    monkeypatch.setattr(deliveries, "mark_sending", stopped_meanwhile)
    await send_until(notification, stopping)

    assert await states(notification) == {("sent", False): 4, ("queued", False): 4}


async def test_a_gateway_that_is_slow_has_the_others_wait_in_the_queue(
    notification: Notification, sms: Telling, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "FULL", 3)
    monkeypatch.setattr(lanes, "MOST", 5)
    sms.takes_seconds = 1
    await queue(notification, 8)
    stopping = asyncio.Event()
    sms.tell = lambda count: stopping.set() if count == 4 else None

    await send_until(notification, stopping)

    chosen = select(notifications.c.state, notifications.c.next_attempt_at)
    async with notification.database.read() as connection:
        rows = (await connection.execute(chosen)).all()
    put_off = [at for state, at in rows if state == "queued" and at > notification.clock.now()]
    assert put_off == []


async def test_what_is_held_is_put_off_where_nobody_tells_its_contacts(
    notification: Notification, sms: Telling
) -> None:
    await queue(notification, 4)
    await notification.sender.send_batch(asyncio.Event())
    assert (await states(notification))["queued", True] == 2

    notification.neighbours.down = True
    await notification.sender.send_batch(asyncio.Event())
    await notification.sender.drain()
    await notification.sender.settle_gathered()

    assert await states(notification) == {("sent", False): 2, ("queued", False): 2}
