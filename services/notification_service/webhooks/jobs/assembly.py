"""Everything of webhooks, put together: what the service's app takes in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from services.notification_service.settings import WebhookSettings
from services.notification_service.webhooks.domain.addresses import networks
from services.notification_service.webhooks.domain.retry import RetryPolicy
from services.notification_service.webhooks.jobs.following import Following
from services.notification_service.webhooks.jobs.keeping import Keeper
from services.notification_service.webhooks.jobs.sending import Courier, CourierTools
from services.notification_service.webhooks.service.following import Follower
from services.notification_service.webhooks.service.posting import PostTools
from services.notification_service.webhooks.service.resending import Deliveries
from services.notification_service.webhooks.service.settling import Settler
from services.notification_service.webhooks.service.subscribing import DeskTools, Subscribers
from services.notification_service.webhooks.service.targets import Resolver
from shared.bus.port import Bus
from shared.http.tls import trusted_tls
from shared.kernel.vault import Vault
from shared.messaging import Messaging
from shared.worker import Supervisor


@dataclass(frozen=True, slots=True)
class Webhooks:
    """The parts of webhooks."""

    subscribers: Subscribers
    deliveries: Deliveries
    follower: Follower
    following: Following
    courier: Courier
    keeper: Keeper
    resolver: Resolver

    def add_loops(self, supervisor: Supervisor) -> None:
        """Register what runs by itself."""
        supervisor.add("webhook following", self.following.run)
        supervisor.add("webhook courier", self.courier.send)
        supervisor.add("webhook outcomes", self.courier.settle)
        supervisor.add("webhook leases", self.courier.keep)
        supervisor.add("webhook keeper", self.keeper.run)

    async def close(self) -> None:
        """Let go of what is not the database's."""
        self.resolver.close()


def assemble(
    messaging: Messaging, bus: Bus, vault: Vault, *, replica: str, settings: WebhookSettings
) -> Webhooks:
    """Put webhooks together."""
    resolver = Resolver(networks(settings.allowed_networks or ""))
    probe_every = timedelta(seconds=settings.probe_seconds)
    settler = Settler(messaging, _policy(settings), replica=replica)
    post = PostTools(
        clock=messaging.clock,
        resolver=resolver,
        tls=trusted_tls,
        timeout_seconds=settings.timeout_seconds,
    )
    courier = Courier(CourierTools(messaging, vault, post, settler, probe_every, replica))
    follower = Follower(messaging, courier.wake)
    rotation = timedelta(seconds=settings.rotation_seconds)
    return Webhooks(
        subscribers=Subscribers(DeskTools(messaging, vault, bus, resolver, rotation)),
        deliveries=Deliveries(messaging, courier.wake),
        follower=follower,
        following=Following(follower, bus, messaging.database),
        courier=courier,
        keeper=Keeper(messaging, timedelta(days=settings.retention_days)),
        resolver=resolver,
    )


def _policy(settings: WebhookSettings) -> RetryPolicy:
    return RetryPolicy(
        first=timedelta(seconds=settings.first_retry_seconds),
        longest=timedelta(seconds=settings.longest_retry_seconds),
        give_up_after=timedelta(seconds=settings.give_up_seconds),
        suspend_after=timedelta(seconds=settings.suspend_after_seconds),
        probe_every=timedelta(seconds=settings.probe_seconds),
    )
