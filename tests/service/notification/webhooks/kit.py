"""Webhooks driven by hand, and an endpoint on loopback that behaves as it is told."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
from prometheus_client import REGISTRY

from services.notification_service.settings import WebhookSettings
from services.notification_service.webhooks.jobs.assembly import Webhooks, assemble
from services.notification_service.webhooks.repository.deliveries import Listed
from services.notification_service.webhooks.repository.subscriptions import Webhook
from services.notification_service.webhooks.service.subscribing import Wishes
from shared.bus.memory import MemoryLog
from shared.bus.port import Record, next_positions
from shared.db.database import Database
from shared.events.envelope import Envelope
from shared.events.registry import REGISTRY as EVENTS
from shared.http.pagination import PageRequest
from shared.kernel.clock import ManualClock
from shared.kernel.ids import new_id
from shared.kernel.vault import Vault
from shared.messaging import Messaging

START = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
LOOPBACK = WebhookSettings(allowed_networks="127.0.0.0/8", timeout_seconds=5)


@dataclass(frozen=True, slots=True)
class Received:
    """One request as an endpoint saw it."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        """The CloudEvent."""
        found: dict[str, Any] = orjson.loads(self.body)
        return found

    @property
    def what(self) -> tuple[str, int]:
        """Subject and sequence."""
        return self.event["subject"], int(self.event["sequence"])


Behaviour = Callable[[Received], Awaitable[bytes]]


def answering(status: int, headers: str = "") -> Behaviour:
    """Answer everything with a status."""

    async def behave(_received: Received) -> bytes:
        return f"HTTP/1.1 {status} So\r\nContent-Length: 0\r\n{headers}\r\n".encode()

    return behave


def refusing(refused: Callable[[Received], bool], status: int = 500) -> Behaviour:
    """Answer some requests with a status, and take the others."""

    async def behave(received: Received) -> bytes:
        return await answering(status if refused(received) else 204)(received)

    return behave


async def hanging(_received: Received) -> bytes:
    """Never answer."""
    await asyncio.Event().wait()
    return b""


@dataclass
class Receiver:
    """An HTTP endpoint on loopback."""

    behaviour: Behaviour = field(default_factory=lambda: answering(204))
    received: list[Received] = field(default_factory=list)
    port: int = 0
    tls: ssl.SSLContext | None = None
    under_way: int = 0
    most_under_way: int = 0

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def whats(self) -> list[tuple[str, int]]:
        """Subjects and sequences in the order of their arrival."""
        return [one.what for one in self.received]

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Receiver]:
        """Listen."""
        open_ones: set[asyncio.Task[Any]] = set()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            open_ones.add(task)
            try:
                await self._serve(reader, writer)
            except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
                pass
            finally:
                open_ones.discard(task)
                writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", self.port, ssl=self.tls)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for task in list(open_ones):
                task.cancel()
            await asyncio.gather(*open_ones, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            pairs = (line.split(": ", 1) for line in head[1:] if line)
            headers = {name.lower(): value for name, value in pairs}
            body = await reader.readexactly(int(headers["content-length"]))
            received = Received(head[0].split(" ")[1], headers, body)
            self.received.append(received)
            self.under_way += 1
            self.most_under_way = max(self.most_under_way, self.under_way)
            try:
                writer.write(await self._answer(received, reader))
                await writer.drain()
            finally:
                self.under_way -= 1

    async def _answer(self, received: Received, reader: asyncio.StreamReader) -> bytes:
        """Behave, but no longer than the caller waits for it."""
        behaving = asyncio.ensure_future(self.behaviour(received))
        leaving = asyncio.ensure_future(reader.read(1))
        try:
            await asyncio.wait({behaving, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if not behaving.done():
                raise ConnectionResetError
            return behaving.result()
        finally:
            for task in (behaving, leaving):
                task.cancel()
            await asyncio.gather(behaving, leaving, return_exceptions=True)


@dataclass
class World:
    """Webhooks with everything real but the clock and the log."""

    database: Database
    clock: ManualClock = field(default_factory=lambda: ManualClock(START))
    bus: MemoryLog = field(default_factory=MemoryLog)
    vault: Vault = field(default_factory=lambda: Vault(bytes(32)))
    settings: WebhookSettings = LOOPBACK
    replica: str = "notification-1"
    successors: list[World] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.messaging = Messaging(database=self.database, clock=self.clock)
        self.webhooks: Webhooks = assemble(
            self.messaging, self.bus, self.vault, replica=self.replica, settings=self.settings
        )

    def replaced(self, replica: str = "notification-1") -> World:
        """The same after a restart, or beside it as another replica."""
        return self.with_settings(replica)

    def with_settings(self, replica: str = "notification-1", **changes: object) -> World:
        """The same with other settings; it ends with this one."""
        settings = WebhookSettings.model_validate(self.settings.model_dump() | changes)
        world = World(self.database, self.clock, self.bus, self.vault, settings, replica)
        self.successors.append(world)
        return world

    async def subscribe(self, url: str, **wishes: list[str]) -> tuple[Webhook, str]:
        """Make a subscription; returns it with its secret."""
        subscribers = self.webhooks.subscribers
        beginning = await subscribers.beginning()
        async with self.messaging.unit_of_work() as work:
            return await subscribers.subscribe(
                work, Wishes(url=url, **wishes), by="test", beginning=beginning
            )

    async def publish(self, *records: Record) -> None:
        """Put events into the log."""
        producer = await self.bus.producer()
        await producer.publish(records)

    async def follow(self) -> None:
        """Make deliveries of what is in the log."""
        follower = self.webhooks.follower
        positions = await follower.begin()
        reader = await self.bus.reader(positions)
        while records := await reader.poll(max_records=1000, timeout_seconds=0):
            positions |= next_positions(records)
            await follower.take(records, positions)
        await reader.close()

    async def deliver(self) -> None:
        """Send until nothing is due any more, and write what came of it."""
        courier = self.webhooks.courier
        while await courier.send_due():
            await courier.drain()
            await courier.settle_gathered()

    async def say(self, *records: Record) -> None:
        """Publish, follow, deliver."""
        await self.publish(*records)
        await self.follow()
        await self.deliver()

    async def state(self, webhook: Webhook) -> Webhook:
        """Return a subscription as it is now."""
        found, _waiting = await self.webhooks.subscribers.one(webhook.id)
        return found

    async def listed(self, webhook: Webhook, **filters: str) -> list[Listed]:
        """Return deliveries, the oldest first."""
        page = PageRequest(limit=199)
        return list(reversed(await self.webhooks.deliveries.page(webhook.id, page, filters)))

    async def resend(self, webhook: Webhook, event_id: str) -> int:
        """Send one delivery again."""
        async with self.messaging.unit_of_work() as work:
            return await self.webhooks.deliveries.resend(work, webhook.id, event_id)

    async def skip(self, webhook: Webhook, event_id: str) -> Listed:
        """Let a complaint go on without an event."""
        async with self.messaging.unit_of_work() as work:
            return await self.webhooks.deliveries.skip(work, webhook.id, event_id)

    async def resend_range(self, webhook: Webhook, start: datetime, end: datetime) -> int:
        """Send the deliveries of a time again."""
        return await self.webhooks.deliveries.resend_range(webhook.id, start, end)

    async def close(self) -> None:
        """End."""
        for successor in self.successors:
            await successor.close()
        await self.webhooks.courier.end()
        await self.webhooks.close()


def event(subject: str, sequence: int, type_: str = "CustomerContacted", **data: object) -> Record:
    """An event as a service would have said it."""
    model = EVENTS[type_, 1]
    envelope = Envelope(new_id(), model.source, type_, 1, START, subject, sequence)
    return Record(model.topic, subject, orjson.dumps(data), envelope.to_headers())


def value_of(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, labels)


def count_of(name: str, **labels: str) -> float:
    return value_of(name, **labels) or 0.0
