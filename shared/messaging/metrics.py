"""What messaging measures of itself. In the embedded profile the services share one registry."""

from __future__ import annotations

from datetime import datetime

from prometheus_client import Counter, Gauge

from shared.kernel.clock import Clock

OUTBOX_OLDEST_AGE = Gauge(
    "redress_outbox_oldest_age_seconds", "Age of the oldest unpublished outbox row", ["service"]
)
RELAY_EPOCH = Gauge("redress_relay_epoch", "Fencing epoch of the leading relay", ["service"])
PUBLISHED = Counter("redress_outbox_published_total", "Outbox rows published", ["service"])
HANDLED = Counter("redress_events_handled_total", "Events taken in", ["group", "type"])
DUPLICATES = Counter("redress_events_duplicate_total", "Events seen before", ["group"])
UNKNOWN = Counter("redress_events_unknown_total", "Events of an unknown type", ["group"])
BATCH_RETRIES = Counter("redress_batch_retries_total", "Batches tried again", ["group"])
LAG = Gauge("redress_consumer_lag_seconds", "Age of the oldest event not read", ["group"])
PARKED = Gauge("redress_parked_complaints", "Complaints that wait behind an event", ["group"])
DEAD = Gauge("redress_dead_letters", "Events that could not be handled", ["group", "state"])


class OutboxAge:
    """Tells the age of the oldest unpublished row as it is when somebody asks.

    A figure that is written down now and then stands still while publishing hangs, which is when
    it matters.
    """

    def __init__(self, service: str, clock: Clock) -> None:
        self._clock = clock
        self.oldest_at: datetime | None = None
        OUTBOX_OLDEST_AGE.labels(service).set_function(self._seconds)

    def _seconds(self) -> float:
        if self.oldest_at is None:
            return 0.0
        return max(0.0, (self._clock.now() - self.oldest_at).total_seconds())
