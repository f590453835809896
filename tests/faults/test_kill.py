"""kill -9 under load: nothing acknowledged is lost, doubled or half done."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.harness.product import COMPLAINT, Product, eventually, somebody

pytestmark = pytest.mark.faults

RATE = 200
SECONDS = 4.5


class Poster:
    """Posts complaints at a steady rate from several threads; keeps what was acknowledged."""

    def __init__(self, url: str, mark: str) -> None:
        self._url = url
        self._mark = mark
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self.acknowledged: set[str] = set()
        self._threads = [threading.Thread(target=self._work) for _ in range(8)]

    def __enter__(self) -> Poster:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        pause = len(self._threads) / RATE
        with httpx.Client(base_url=self._url, timeout=5) as client:
            due = time.monotonic()
            while not self._stopping.is_set():
                self._post(client)
                due = max(due + pause, time.monotonic() - 1)
                time.sleep(max(0.0, due - time.monotonic()))

    def _post(self, client: httpx.Client) -> None:
        body = COMPLAINT | {"references": {"product": self._mark}, "customer": somebody()}
        try:
            answer = client.post("/v1/complaints", json=body)
        except httpx.TransportError:
            return
        if answer.status_code == 201:
            with self._lock:
                self.acknowledged.add(answer.json()["id"])


def cells(product: Product, mark: str) -> int:
    answer = product.get("/v1/analytics/heatmap", rows="product", columns="channel", product=mark)
    total: int = answer["total"]
    return total


def newest(product: Product, path: str, key: str, since: str) -> list[dict[str, Any]]:
    """Return the newest items of a list, those about complaints (`key`) from `since` on."""
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = product.get(path, limit=200, **cursor)
        recent = [item for item in page["items"] if item[key] >= since]
        found += recent
        # Ids grow with time, so a page that holds only older ones ends the search.
        if not recent or page["next_cursor"] is None:
            return found
        cursor = {"cursor": page["next_cursor"]}


def hammer(product: Product, victim: str, mark: str) -> set[str]:
    """Post for some seconds, killing `victim` twice on the way; returns what was acknowledged."""
    with Poster(product.urls["intake"], mark) as poster:
        for _ in range(2):
            time.sleep(SECONDS / 3)
            product.kill(victim)
            product.spawn(victim)
            product.wait_ready(victim)
        time.sleep(SECONDS / 3)
    assert len(poster.acknowledged) > RATE, "too few were posted to mean anything"
    return poster.acknowledged


def check_nothing_lost_or_doubled(product: Product, mark: str, acknowledged: set[str]) -> None:
    # A complaint whose answer was cut off is stored but not acknowledged: it counts as well.
    since = min(acknowledged)
    eventually(
        lambda: cells(product, mark) >= len(acknowledged),
        seconds=60,
        what="the heat map counts every acknowledged complaint",
    )
    cases = eventually_covering(acknowledged, lambda: opened(product, since), "has its case")
    told = eventually_covering(
        acknowledged, lambda: acknowledgements(product, since), "has its acknowledgement"
    )

    assert set(cases.values()) == {1}
    assert {told[identifier] for identifier in acknowledged} == {1}
    assert cells(product, mark) == len(cases)


def eventually_covering(
    wanted: set[str], count: Callable[[], Counter[str]], what: str
) -> Counter[str]:
    """Wait until every wanted complaint is counted; returns the counts."""
    counts = count()

    def covered() -> bool:
        nonlocal counts
        counts = count()
        return wanted <= counts.keys()

    eventually(covered, seconds=60, what=f"every acknowledged complaint {what}")
    return counts


def opened(product: Product, since: str) -> Counter[str]:
    """Count the cases of each complaint from `since` on."""
    return Counter(case["id"] for case in newest(product, "/v1/cases", "id", since))


def acknowledgements(product: Product, since: str) -> Counter[str]:
    """Count the acknowledgement intents of each complaint from `since` on."""
    messages = newest(product, "/v1/notifications", "complaint_id", since)
    return Counter(m["complaint_id"] for m in messages if m["kind"] == "acknowledgement")


@pytest.mark.parametrize(
    "victim", ["intake", "intake-relay", "workflow", "notification", "analytics"]
)
def test_killing_one_of_the_processes_loses_and_doubles_nothing(
    distributed: Product, victim: str
) -> None:
    mark = f"kill-{victim}"

    acknowledged = hammer(distributed, victim, mark)

    check_nothing_lost_or_doubled(distributed, mark, acknowledged)


def test_killing_the_embedded_process_loses_and_doubles_nothing(embedded: Product) -> None:
    acknowledged = hammer(embedded, "embedded", "kill-embedded")

    check_nothing_lost_or_doubled(embedded, "kill-embedded", acknowledged)
