"""What tries came to: written for many lanes in one transaction."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from prometheus_client import Counter

from services.notification_service.webhooks.domain.retry import (
    Failed,
    Health,
    Lane,
    RetryPolicy,
    after_failure,
    health_after,
)
from services.notification_service.webhooks.domain.words import (
    DeliveryState,
    LaneState,
    WebhookState,
)
from services.notification_service.webhooks.repository import deliveries, lanes, subscriptions
from services.notification_service.webhooks.repository.deliveries import Tried
from services.notification_service.webhooks.repository.lanes import (
    Key,
    LeasedLane,
    SettledLane,
    Waiting,
)
from services.notification_service.webhooks.repository.subscriptions import Webhook
from services.notification_service.webhooks.service.posting import Attempt
from shared.kernel import logging
from shared.messaging import Messaging, UnitOfWork

log = logging.get(__name__)

_TRIED = Counter("redress_webhook_attempts_total", "Tries by what they came to", ["outcome"])


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was tried in one lane: deliveries in order, the last of which may have failed."""

    lane: LeasedLane
    tried: Sequence[tuple[Waiting, Attempt]]

    @property
    def key(self) -> Key:
        """Webhook and subject."""
        return self.lane.webhook_id, self.lane.subject

    @property
    def failure(self) -> Attempt | None:
        """The try that failed, if one did."""
        last = self.tried[-1][1] if self.tried else None
        return None if last is None or last.is_taken else last


class Settler:
    """Writes outcomes."""

    def __init__(self, messaging: Messaging, policy: RetryPolicy, *, replica: str) -> None:
        self._messaging = messaging
        self._policy = policy
        self._replica = replica

    async def settle(self, outcomes: Sequence[Outcome]) -> None:
        """Write outcomes, and wake the lanes of endpoints that have come back.

        A lane that was lost meanwhile is left to whoever has it: its deliveries go out twice,
        under the same id, rather than not at all.
        """
        async with self._messaging.unit_of_work() as work:
            returned = await self._write(work, outcomes)
        for webhook_id, afresh in returned.items():
            async with self._messaging.unit_of_work() as work:
                await lanes.wake(work.connection, webhook_id, now=work.now, afresh=afresh)

    async def _write(self, work: UnitOfWork, outcomes: Sequence[Outcome]) -> Mapping[str, bool]:
        ids = sorted({one.lane.webhook_id for one in outcomes})
        webhooks = await subscriptions.lock_many(work.connection, ids)
        held = await lanes.lock_held(
            work.connection, [one.key for one in outcomes], by=self._replica
        )
        mine = [one for one in outcomes if one.key in held]
        failed = {
            one.key: self._decide(one, one.failure, webhooks.get(one.lane.webhook_id))
            for one in mine
            if one.failure is not None
        }
        await deliveries.write(
            work.connection, [row for one in mine for row in _tried(one, failed.get(one.key))]
        )
        more = await lanes.with_more(work.connection, [one.key for one in mine]) if mine else set()
        kept = [_settled(one, failed.get(one.key), work.now) for one in mine]
        parked = {key for key, one in failed.items() if one.next_attempt_at is None}
        stays = more | parked
        await lanes.settle(
            work.connection, [r for r in kept if (r["of_webhook"], r["of_subject"]) in stays]
        )
        await lanes.remove(work.connection, held.keys() - stays)
        _tell(mine, parked)
        return await self._judge(work, outcomes, webhooks)

    def _decide(self, outcome: Outcome, failure: Attempt, webhook: Webhook | None) -> Failed:
        # After a success before it in this very lane, the failure is another delivery's first.
        fresh = len(outcome.tried) > 1
        lane = Lane() if fresh else Lane(outcome.lane.tries, outcome.lane.failing_since)
        return after_failure(
            lane,
            self._policy,
            now=failure.at,
            jitter=random.random(),  # noqa: S311 - spreads retries, hides nothing
            state=WebhookState(webhook.state) if webhook else WebhookState.ACTIVE,
            retry_after=failure.retry_after,
        )

    async def _judge(
        self, work: UnitOfWork, outcomes: Sequence[Outcome], webhooks: Mapping[str, Webhook]
    ) -> Mapping[str, bool]:
        """Write how the endpoints stand; returns those that came back, and whether from death."""
        returned: dict[str, bool] = {}
        for webhook in webhooks.values():
            tries = [
                attempt
                for one in outcomes
                if one.lane.webhook_id == webhook.id
                for _waiting, attempt in one.tried
            ]
            if not tries:
                continue
            before = Health(
                WebhookState(webhook.state), webhook.failing_since, webhook.probe_at, webhook.reason
            )
            after = self._health(before, tries, work.now)
            if after != before:
                await subscriptions.change(
                    work.connection,
                    webhook.id,
                    state=after.state,
                    failing_since=after.failing_since,
                    probe_at=after.probe_at,
                    reason=after.reason,
                )
                _tell_health(webhook, before, after)
            if self._is_back(before, after, work.now):
                returned[webhook.id] = before.state is WebhookState.SUSPENDED
        return returned

    def _health(self, before: Health, tries: Sequence[Attempt], now: datetime) -> Health:
        gone = [one for one in tries if one.is_gone]
        succeeded = any(one.is_taken for one in tries)
        reason = (gone or tries)[-1].error
        return health_after(
            before, self._policy, now=now, succeeded=succeeded, gone=bool(gone), reason=reason
        )

    def _is_back(self, before: Health, after: Health, now: datetime) -> bool:
        """Tell whether an outage has ended, so that what waits need not wait any longer.

        A single event that is refused again and again is no outage: it would be tried again with
        every other that is taken.
        """
        if after.state is not WebhookState.ACTIVE or after.failing_since is not None:
            return False
        since = before.failing_since
        return since is not None and now - since >= self._policy.first * 4


def _tried(outcome: Outcome, failed: Failed | None) -> list[Tried]:
    rows: list[Tried] = []
    for waiting, attempt in outcome.tried:
        again = None if attempt.is_taken or failed is None else failed.next_attempt_at
        state = DeliveryState.DELIVERED
        if not attempt.is_taken:
            state = DeliveryState.PENDING if again else DeliveryState.PARKED
        rows.append(
            {
                "of": waiting.id,
                "to_state": state,
                "to_status": attempt.status,
                "to_error": attempt.error[:200] if attempt.error else None,
                "to_attempt_at": attempt.at,
                "to_next_attempt_at": again,
                "to_delivered_at": attempt.at if attempt.is_taken else None,
            }
        )
    return rows


def _settled(outcome: Outcome, failed: Failed | None, now: datetime) -> SettledLane:
    lane = failed.lane if failed else Lane()
    if failed is None and not outcome.tried:
        lane = Lane(outcome.lane.tries, outcome.lane.failing_since)  # nothing was tried after all
    parked = failed is not None and failed.next_attempt_at is None
    return {
        "of_webhook": outcome.lane.webhook_id,
        "of_subject": outcome.lane.subject,
        "to_state": LaneState.PARKED if parked else LaneState.OPEN,
        "to_due_at": (failed.next_attempt_at if failed else None) or now,
        "to_tries": lane.tries,
        "to_failing_since": lane.failing_since,
    }


def _tell(mine: Sequence[Outcome], parked: set[Key]) -> None:
    for one in mine:
        for waiting, attempt in one.tried:
            outcome = "delivered" if attempt.is_taken else "failed"
            if not attempt.is_taken and one.key in parked:
                outcome = "parked"
                log.error(
                    "webhook.parked",
                    webhook=one.lane.webhook_id,
                    complaint_id=one.lane.subject,
                    event_id=waiting.event_id,
                    reason=attempt.error,
                )
            _TRIED.labels(outcome).inc()


def _tell_health(webhook: Webhook, before: Health, after: Health) -> None:
    if after.state is before.state:
        return
    tell = log.info if after.state is WebhookState.ACTIVE else log.error
    tell(f"webhook.{after.state.value}", webhook=webhook.id, reason=after.reason)
