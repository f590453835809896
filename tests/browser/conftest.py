"""A browser, a product with a few complaints in it, and readers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.looking import Reader
from tests.harness.product import COMPLAINT, Product, eventually, somebody

_QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
_WORDS = "周三收到的订单少了两件，客服一直推诿，再不处理我就打 12315。"
ENGLISH: dict[str, Any] = {
    "channel": "email",
    "customer": {"name": "Sam Carter", "email": "sam.carter@example.com", "locale": "en"},
    "description": "I was charged twice for the same order.\nNobody answers my e-mails.",
    "references": {"order": "A-1029"},
    "place": {"region": "GB-LND", "latitude": 51.51, "longitude": -0.12},
    "demands": ["refund"],
}


# Of this package only: Playwright's loop stays in the thread, and asynchronous tests follow.
@pytest.fixture(scope="package")
def browser(chromium_path: str) -> Iterator[Browser]:
    """Chromium, which talks to nobody by itself."""
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium_path, args=list(_QUIET))
        yield launched
        launched.close()


@dataclass(frozen=True)
class Story:
    """Complaints that have come some way: `zh` and `en` are the paths of their tracking pages."""

    zh: str
    en: str
    number: str


@pytest.fixture(scope="package")
def story(embedded: Product) -> Story:
    """Two complaints with messages sent and figures told."""
    before = _counted(embedded)
    first = embedded.post(
        "/v1/complaints", COMPLAINT | {"description": _WORDS, "customer": somebody()}
    )
    second = embedded.post("/v1/complaints", ENGLISH)
    eventually(lambda: embedded.case(first["id"]) and embedded.case(second["id"]))
    embedded.act(second["id"], "start-investigation")
    options = [
        {"kind": "refund", "text": "We refund what was charged twice."},
        {"kind": "apology", "text": "We apologise in writing."},
    ]
    embedded.act(second["id"], "propose", options=options)
    promise = {"text": "We refund it by Friday.", "due_at": _in_two_days()}
    embedded.post(f"/v1/cases/{second['id']}/promises", promise)
    eventually(lambda: _counted(embedded) == before + 2, what="the figures are told")
    told = {"acknowledgement", "proposal"}
    eventually(lambda: told <= _sent(embedded, second["id"]), what="the customer is told")
    eventually(lambda: "acknowledgement" in _sent(embedded, first["id"]))
    return Story(
        zh=urlsplit(first["tracking_url"]).path,
        en=urlsplit(second["tracking_url"]).path,
        number=second["number"],
    )


@pytest.fixture
def reader(browser: Browser, embedded: Product, story: Story) -> Iterator[Reader]:
    """Somebody who reads the pages of the product with the story in it."""
    reader = Reader(browser, embedded.urls["intake"])
    yield reader
    reader.leave()


def _in_two_days() -> str:
    return (datetime.now(UTC) + timedelta(days=2)).isoformat()


def _counted(product: Product) -> int:
    total: int = product.get("/v1/analytics/heatmap", rows="category", columns="region")["total"]
    return total


def _sent(product: Product, complaint: str) -> set[str]:
    return {m["kind"] for m in product.messages(complaint) if m["state"] == "sent"}
