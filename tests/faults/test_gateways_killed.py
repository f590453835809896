"""kill -9 while messages leave through gateways that fail: each is told once, none is lost.

A real mail server (Exim with TLS and a log-in) and an SMS gateway that goes wrong in one of five
requests, in five ways. `REDRESS_TEST_COMPLAINTS=1000` makes it the run of docs/measurements.md.
"""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.faults.bad_gateway import BadGateway, running_gateway
from tests.harness.mail_server import MailServer, running_mail_server
from tests.harness.product import COMPLAINT, Product, eventually

pytestmark = pytest.mark.faults

COMPLAINTS = int(os.environ.get("REDRESS_TEST_COMPLAINTS", "200"))
SECONDS = 12.0 + COMPLAINTS / 50
KILL_EVERY = 4.0
THREADS = max(4, COMPLAINTS // 40)
FAILING = 20
# Six pauses between seven tries are twelve minutes by default: the one message in some runs that
# needs five of them would hold up all tests for ten.
LONGEST_PAUSE = 10
PATIENCE = 180.0


class Persistent:
    """Posts complaints over a while, each again until it is acknowledged, whoever is killed."""

    def __init__(self, url: str, bodies: Sequence[dict[str, Any]]) -> None:
        self._url = url
        self._waiting = list(reversed(bodies))
        self._pause = THREADS * SECONDS / len(bodies)
        self._lock = threading.Lock()
        self.acknowledged: dict[str, str] = {}
        self._threads = [threading.Thread(target=self._work) for _ in range(THREADS)]

    def __enter__(self) -> Persistent:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        for thread in self._threads:
            thread.join()

    @property
    def busy(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    def _work(self) -> None:
        with httpx.Client(base_url=self._url, timeout=10) as client:
            while True:
                with self._lock:
                    if not self._waiting:
                        return
                    body = self._waiting.pop()
                while not self._post(client, body):
                    time.sleep(0.2)
                time.sleep(self._pause)

    def _post(self, client: httpx.Client, body: dict[str, Any]) -> bool:
        try:
            answer = client.post("/v1/complaints", json=body)
        except httpx.TransportError:
            return False
        if answer.status_code not in {200, 201}:
            return False
        with self._lock:
            self.acknowledged[body["source"]["id"]] = answer.json()["id"]
        return True


def bodies(count: int) -> list[dict[str, Any]]:
    """Complaints of different people: every other one has a phone, the rest an e-mail address."""
    mark = secrets.token_hex(4)
    found = []
    for number in range(count):
        who = {"phone": f"+86139{number:08d}"}
        if number % 2:
            who = {"email": f"customer.{number}@example.com"}
        customer = {"name": "王芳", "locale": "zh-CN", **who}
        source = {"system": "fault-test", "id": f"{mark}-{number}"}
        found.append(COMPLAINT | {"customer": customer, "source": source})
    return found


def post_while_killing(product: Product) -> set[str]:
    """Post every complaint while the process is killed every few seconds."""
    kills = 0
    with Persistent(product.urls["intake"], bodies(COMPLAINTS)) as poster:
        while poster.busy:
            time.sleep(KILL_EVERY)
            product.kill("embedded")
            kills += 1
            product.spawn("embedded")
            product.wait_ready("embedded")
    # And once more while the last of them leave.
    product.kill("embedded")
    product.spawn("embedded")
    product.wait_ready("embedded")
    assert kills >= 3, "too few kills to mean anything"
    assert len(poster.acknowledged) == COMPLAINTS
    return set(poster.acknowledged.values())


def messages(product: Product, **filters: str) -> list[dict[str, Any]]:
    """Return all messages, to staff too."""
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = product.get("/v1/notifications", limit=200, **filters, **cursor)
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        cursor = {"cursor": page["next_cursor"]}


def settled(product: Product, complaints: set[str]) -> list[dict[str, Any]]:
    """Wait until every complaint is acknowledged to its customer and nothing is under way."""

    def done() -> list[dict[str, Any]]:
        found = messages(product)
        told = {one["complaint_id"] for one in found if one["kind"] == "acknowledgement"}
        waiting = [one for one in found if one["state"] in {"queued", "sending"}]
        return found if complaints <= told and not waiting else []

    return eventually(done, seconds=PATIENCE, what="every message has left or is left to a person")


def check_one_intent_per_fact(found: Sequence[dict[str, Any]], complaints: set[str]) -> None:
    """Customers are told each fact once; staff's messages have a recipient that is not listed."""
    customers = [one for one in found if one["audience"] == "customer"]
    intents = Counter((one["complaint_id"], one["kind"], one["occurrence"]) for one in customers)
    told = Counter(one["complaint_id"] for one in found if one["kind"] == "acknowledgement")
    assert set(intents.values()) == {1}
    assert set(told.values()) == {1}
    assert told.keys() == complaints


def of_channel(found: Sequence[dict[str, Any]], channel: str) -> dict[str, str]:
    return {one["id"]: one["state"] for one in found if one["channel"] == channel}


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with running_mail_server(failing=FAILING) as server:
        yield server


def product_with(home: Path, mail: MailServer, gateway: BadGateway) -> Product:
    return Product.embedded(
        home,
        {
            "REDRESS_SMTP_URL": mail.url(),
            "REDRESS_MESSAGE_LONGEST_RETRY_SECONDS": str(LONGEST_PAUSE),
            "REDRESS_MAIL_FROM": "Redress <service@example.com>",
            "REDRESS_SMS_URL": gateway.url,
            "REDRESS_SMS_DEDUPLICATES": str(gateway.deduplicates).lower(),
            # The mail server's certificate is its own authority.
            "SSL_CERT_FILE": str(mail.authority),
            "REDRESS_QUIET_HOURS": "off",
        },
    )


def report(found: Sequence[dict[str, Any]], gateway: BadGateway, mails: Sequence[str]) -> None:
    """Print the figures, for who runs this with `-s`."""
    states = Counter((one["channel"], one["state"]) for one in found)
    failed = ", ".join(f"{count} x {how}" for how, count in sorted(gateway.failed.items()))
    print(
        f"\n{COMPLAINTS} complaints, {len(found)} messages: {dict(states)};"
        f" SMS gateway: {gateway.requests} requests, {failed}; reached {len(gateway.reached)}"
        f" phones' references, at most {max(gateway.reached.values())} times;"
        f" mails: {len(mails)} delivered, {len(set(mails))} different"
    )


@pytest.mark.parametrize("deduplicates", [True, False])
def test_each_fact_is_told_once_through_gateways_that_fail(
    tmp_path: Path, mail: MailServer, *, deduplicates: bool
) -> None:
    with (
        running_gateway(deduplicates=deduplicates, failing=FAILING) as gateway,
        product_with(tmp_path / "home", mail, gateway) as product,
    ):
        complaints = post_while_killing(product)
        found = settled(product, complaints)
        unknown = messages(product, state="unknown")
        eventually(lambda: mail.waiting() == 0, what="the mail server has delivered all it took")

    mails = [str(one["Message-ID"]).strip("<>").partition("@")[0] for one in mail.mails()]
    report(found, gateway, mails)
    sms, email = of_channel(found, "sms"), of_channel(found, "email")
    check_one_intent_per_fact(found, complaints)
    # E-mail: the reader's program shows one Message-ID once, so it may be sent again; none is lost.
    # One in eighty thousand is deferred seven times: it is given up and says so.
    gone = {one for one, state in email.items() if state == "sent"}
    given_up = {one["id"]: one for one in found if one["state"] == "failed"}
    assert email.keys() == gone | given_up.keys()
    assert len(given_up) <= 1
    assert {one["reason"] for one in given_up.values()} <= {"mail server answered 451 4.3.0"}
    assert gone <= set(mails) <= email.keys()
    # SMS: nothing reached a phone twice, and whatever is called sent reached one.
    assert set(gateway.reached.values()) == {1}
    assert {one for one, state in sms.items() if state == "sent"} <= gateway.reached.keys()
    assert gateway.reached.keys() <= sms.keys()
    if deduplicates:
        assert set(sms.values()) == {"sent"}
        assert sms.keys() == gateway.reached.keys()
        assert not unknown
    else:
        # What nobody can know is left to a person, listed, and never sent again by itself.
        assert set(sms.values()) == {"sent", "unknown"}
        assert {one["id"] for one in unknown} == {
            one for one, state in sms.items() if state == "unknown"
        }
