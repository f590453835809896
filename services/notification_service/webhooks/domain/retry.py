"""When a failed delivery is tried again, when it is given up, when an endpoint counts as dead."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.notification_service.webhooks.domain.words import WebhookState

_MANY_TRIES = 40
"""Beyond it the doubled pause is longer than any limit."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """The times of retrying. `give_up_after` counts from a delivery's first failure."""

    first: timedelta
    longest: timedelta
    give_up_after: timedelta
    suspend_after: timedelta
    probe_every: timedelta


@dataclass(frozen=True, slots=True)
class Lane:
    """How the first delivery of a lane stands: failures in a row, and since when."""

    tries: int = 0
    failing_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """How an endpoint stands."""

    state: WebhookState
    failing_since: datetime | None = None
    probe_at: datetime | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """What a failure comes to for its lane: the next try, or None where it is given up."""

    lane: Lane
    next_attempt_at: datetime | None


def after_failure(
    lane: Lane,
    policy: RetryPolicy,
    *,
    now: datetime,
    jitter: float,
    state: WebhookState,
    retry_after: timedelta | None = None,
) -> Failed:
    """Decide about a delivery that failed; `jitter` lies between 0 and 1.

    Pauses double up to the longest, each between half of itself and all of it. While the whole
    endpoint is suspended nothing is given up: it is not this delivery's fault.
    """
    since = lane.failing_since or now
    failed = Lane(lane.tries + 1, since)
    if state is not WebhookState.SUSPENDED and now - since >= policy.give_up_after:
        return Failed(failed, None)
    doubled = policy.first * 2 ** min(lane.tries, _MANY_TRIES)
    pause = min(doubled, policy.longest) * (0.5 + jitter / 2)
    if retry_after is not None:
        pause = max(pause, min(retry_after, policy.longest))
    return Failed(failed, now + pause)


def health_after(
    health: Health,
    policy: RetryPolicy,
    *,
    now: datetime,
    succeeded: bool,
    gone: bool,
    reason: str | None,
) -> Health:
    """Decide about an endpoint after some deliveries.

    One success shows that it lives; failures only, for long, suspend it; 410 disables it.
    """
    if health.state not in {WebhookState.ACTIVE, WebhookState.SUSPENDED}:
        return health  # somebody paused it meanwhile
    if gone:
        return Health(WebhookState.DISABLED, health.failing_since or now, None, reason)
    if succeeded:
        return Health(WebhookState.ACTIVE)
    since = health.failing_since or now
    if health.state is WebhookState.SUSPENDED or now - since >= policy.suspend_after:
        return Health(WebhookState.SUSPENDED, since, now + policy.probe_every, reason)
    return Health(WebhookState.ACTIVE, since, None, reason)
