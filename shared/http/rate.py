"""A token bucket per API key, in this process."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from shared.kernel.errors import RateLimited


class RateLimiter:
    """Lets each key make `burst` requests at once and `per_second` in the long run."""

    def __init__(
        self,
        *,
        per_second: float,
        burst: int,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._per_second = per_second
        self._burst = float(burst)
        self._monotonic = monotonic
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, key_id: str) -> None:
        """Count one request; raises RateLimited with the seconds until there is room again."""
        now = self._monotonic()
        left, since = self._buckets.get(key_id, (self._burst, now))
        left = min(self._burst, left + (now - since) * self._per_second)
        if left < 1.0:
            wait = math.ceil((1.0 - left) / self._per_second)
            raise RateLimited(
                f"This key may make {self._per_second:g} requests a second.",
                retry_after_seconds=max(1, wait),
            )
        self._buckets[key_id] = (left - 1.0, now)
