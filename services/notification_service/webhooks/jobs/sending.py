"""The courier: takes lanes that are due, posts what waits in them, writes down what came of it.

Each endpoint has its own few places, and one that fails a single one: however many hang, the
others' deliveries and everybody's messages go on.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter as Tally
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from services.notification_service.webhooks.domain.words import WebhookState
from services.notification_service.webhooks.repository import lanes, subscriptions
from services.notification_service.webhooks.repository.lanes import Key, LeasedLane, Waiting
from services.notification_service.webhooks.repository.subscriptions import Webhook
from services.notification_service.webhooks.service.posting import Endpoint, PostTools
from services.notification_service.webhooks.service.settling import Outcome, Settler
from services.notification_service.webhooks.service.signing import SigningKey, unseal
from shared.kernel import logging
from shared.kernel.vault import Undecryptable, Vault
from shared.messaging import Messaging
from shared.messaging.pauses import Pace

log = logging.get(__name__)

_LANES = 64
"""Lanes of one endpoint in hand at the same time; how many are posted the endpoint says."""
_EACH = 20
"""Deliveries of a lane that are sent before any is written down: what a crash may repeat."""
_LEASE = timedelta(seconds=120)
_KEEP_SECONDS = 20.0
_IDLE_SECONDS = 0.5
_GRACE_SECONDS = 4.0
_IDLE_ENDPOINT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class CourierTools:
    """What the courier works with."""

    messaging: Messaging
    vault: Vault
    post: PostTools
    settler: Settler
    probe_every: timedelta
    replica: str


@dataclass(frozen=True, slots=True)
class _Addressee:
    """An endpoint as it was when it was last looked at."""

    webhook: Webhook
    endpoint: Endpoint
    keys: tuple[SigningKey, ...]


class Courier:
    """Sends deliveries. `wake` tells it that some were made in this process."""

    def __init__(self, tools: CourierTools) -> None:
        self._tools = tools
        self._database = tools.messaging.database
        self._clock = tools.messaging.clock
        self._wanted = asyncio.Event()
        self._under_way: dict[Key, asyncio.Task[None]] = {}
        self._outcomes: list[Outcome] = []
        self._settling: frozenset[Key] = frozenset()
        self._gathered = asyncio.Event()
        self._sent_all = asyncio.Event()
        self._endpoints: dict[tuple[str, str], Endpoint] = {}
        self._unsignable: set[str] = set()
        self._versions: Mapping[str, int] = {}
        self._stopping = False

    def wake(self) -> None:
        """Look for what is due at once."""
        self._wanted.set()

    async def send(self, stopping: asyncio.Event) -> None:
        """Send until told to stop; then wait a moment for what is under way."""
        self._sent_all.clear()
        self._stopping = False
        pace = Pace()
        try:
            async with self._database.write() as connection:
                await lanes.release(connection, by=self._tools.replica)
            while not stopping.is_set():
                pace.begin()
                await self.send_due()
                pace.end()
                await self._wait(stopping)
                await pace.rest(stopping)
        finally:
            self._stopping = True
            await self.end()
            self._sent_all.set()
            self._gathered.set()

    async def settle(self, stopping: asyncio.Event) -> None:
        """Write outcomes until sending has ended and all are written."""
        pace = Pace()
        while not (stopping.is_set() and self._sent_all.is_set() and not self._outcomes):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._gathered.wait(), _IDLE_SECONDS)
            pace.begin()
            await self.settle_gathered()
            await pace.rest(stopping)

    async def keep(self, stopping: asyncio.Event) -> None:
        """Extend the leases of what is in hand, every now and then."""
        while not stopping.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), _KEEP_SECONDS)
            await self._extend()

    async def send_due(self) -> int:
        """Begin to send what is due, as far as there are places; returns how many lanes."""
        now = self._clock.now()
        async with self._database.read() as connection:
            found = await lanes.sendable(connection, now)
            posted_to = {webhook_id for webhook_id, _subject in self._under_way}
            self._versions = await subscriptions.versions(
                connection, posted_to.union(one.id for one in found)
            )
        await self._close_idle()
        busy = Tally(webhook_id for webhook_id, _subject in self._in_hand())
        free = [one for one in found if _places(one) > busy[one.id]]
        addressees = [one for one in map(self._addressee, free) if one is not None]
        count = 0
        for addressee in addressees:
            room = _places(addressee.webhook) - busy[addressee.webhook.id]
            for lane, waiting in (await self._lease(addressee.webhook, room)).items():
                task = asyncio.create_task(self._carry(addressee, lane, waiting))
                self._under_way[lane.webhook_id, lane.subject] = task
                count += 1
        return count

    async def settle_gathered(self) -> None:
        """Write the outcomes that have gathered; they are kept where the database is away."""
        self._gathered.clear()
        outcomes, self._outcomes = self._outcomes, []
        if not outcomes:
            return
        self._settling = frozenset(one.key for one in outcomes)
        try:
            await self._tools.settler.settle(outcomes)
        except BaseException:
            self._outcomes = outcomes + self._outcomes
            raise
        finally:
            self._settling = frozenset()
        self.wake()

    async def drain(self) -> None:
        """Wait until everything under way has its outcome."""
        while self._under_way:
            await asyncio.wait(self._under_way.values())

    async def end(self) -> None:
        """Give what is under way a moment, and then break it off: it will be sent again."""
        if self._under_way:
            _done, late = await asyncio.wait(self._under_way.values(), timeout=_GRACE_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        for endpoint in self._endpoints.values():
            await endpoint.close()
        self._endpoints.clear()

    async def _lease(self, webhook: Webhook, room: int) -> Mapping[LeasedLane, Sequence[Waiting]]:
        now = self._clock.now()
        is_probe = webhook.state == WebhookState.SUSPENDED
        async with self._database.write() as connection:
            if is_probe and not await lanes.claim_probe(
                connection, webhook.id, now=now, until=now + self._tools.probe_every
            ):
                return {}
            leased = await lanes.lease(
                connection,
                webhook.id,
                by=self._tools.replica,
                now=now,
                until=now + _LEASE,
                limit=room,
                only_due=not is_probe,
            )
            waiting = await lanes.first_of(connection, leased, each=1 if is_probe else _EACH)
        return {one: waiting.get((one.webhook_id, one.subject), ()) for one in leased}

    async def _carry(
        self, addressee: _Addressee, lane: LeasedLane, waiting: Sequence[Waiting]
    ) -> None:
        """Post a lane's deliveries one after another, up to the first that is not taken."""
        key = (lane.webhook_id, lane.subject)
        tried = []
        try:
            async with addressee.endpoint.place() as may_go:
                for one in waiting if may_go else ():
                    if self._was_changed(addressee.webhook):
                        break
                    attempt = await addressee.endpoint.post(one, addressee.keys)
                    tried.append((one, attempt))
                    if not attempt.is_taken or self._stopping:
                        break
        except Exception:  # the outermost edge: a defect of ours is no reason to stop for good
            log.exception("webhook.defect", webhook=lane.webhook_id)
            await asyncio.sleep(_IDLE_SECONDS)
        finally:
            self._under_way.pop(key, None)
            self._outcomes.append(Outcome(lane, tried))
            self._gathered.set()

    def _was_changed(self, webhook: Webhook) -> bool:
        """Tell whether somebody paused it, deleted it, or gave it another URL or key meanwhile.

        Some sixty lanes of twenty deliveries may be in hand, which a slow endpoint takes for hours.
        """
        return self._versions.get(webhook.id) != webhook.version

    def _addressee(self, webhook: Webhook) -> _Addressee | None:
        try:
            keys = unseal(self._tools.vault, webhook.wrapped_key, webhook.id, webhook.secrets)
        except Undecryptable as failure:
            # With another master key nothing can be signed: it is mended by the right one.
            if webhook.id not in self._unsignable:
                self._unsignable.add(webhook.id)
                log.error("webhook.unsignable", webhook=webhook.id, reason=failure.detail)
            return None
        self._unsignable.discard(webhook.id)
        key = (webhook.id, webhook.url)
        endpoint = self._endpoints.get(key)
        if endpoint is None:
            endpoint = self._endpoints[key] = Endpoint(webhook.url, self._tools.post)
        return _Addressee(webhook, endpoint, keys)

    async def _close_idle(self) -> None:
        """Close the connections to endpoints that nothing goes to any more."""
        now = asyncio.get_running_loop().time()
        for key, endpoint in list(self._endpoints.items()):
            if endpoint.is_idle_since(now - _IDLE_ENDPOINT_SECONDS):
                del self._endpoints[key]
                await endpoint.close()

    def _in_hand(self) -> set[Key]:
        return {*self._under_way, *(one.key for one in self._outcomes), *self._settling}

    async def _extend(self) -> None:
        keys = self._in_hand()
        if keys:
            async with self._database.write() as connection:
                until = self._clock.now() + _LEASE
                await lanes.extend(connection, keys, by=self._tools.replica, until=until)

    async def _wait(self, stopping: asyncio.Event) -> None:
        """Sleep until woken, at most half a second: retries come due, replicas make deliveries."""
        waits = [asyncio.create_task(self._wanted.wait()), asyncio.create_task(stopping.wait())]
        await asyncio.wait(waits, timeout=_IDLE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        self._wanted.clear()


def _places(webhook: Webhook) -> int:
    """Return how many lanes of an endpoint may be in hand: one where it fails."""
    is_well = webhook.state == WebhookState.ACTIVE and webhook.failing_since is None
    return _LANES if is_well else 1
