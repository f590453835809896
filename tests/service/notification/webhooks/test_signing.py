"""What a delivery is: each event once, in order, signed and sealed."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta

import orjson

from shared.kernel.ids import new_id
from tests.service.notification.webhooks.kit import (
    START,
    Received,
    Receiver,
    World,
    answering,
    event,
)


async def test_every_event_comes_once_and_in_order_for_each_complaint(
    world: World, crm: Receiver
) -> None:
    async def take_its_time(received: Received) -> bytes:
        await asyncio.sleep(0.002)
        return await answering(204)(received)

    await world.subscribe(crm.url)
    subjects = [new_id() for _ in range(10)]
    crm.behaviour = take_its_time

    await world.say(*[event(one, n) for n in range(1, 8) for one in subjects])

    assert sorted(crm.whats) == sorted((one, n) for one in subjects for n in range(1, 8))
    for subject in subjects:
        assert [n for one, n in crm.whats if one == subject] == list(range(1, 8))
    assert crm.most_under_way > 1


async def test_the_request_is_what_standard_webhooks_and_cloud_events_say(
    world: World, crm: Receiver
) -> None:
    _webhook, secret = await world.subscribe(crm.url)
    subject = new_id()

    await world.say(event(subject, 1, "CaseOpened", number="7K3F-9Q2M-X"))

    (one,) = crm.received
    assert one.path == "/hook"
    assert one.headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    assert one.headers["host"] == f"127.0.0.1:{crm.port}"
    assert one.headers["webhook-id"] == one.event["id"]
    assert one.headers["webhook-timestamp"] == str(int(START.timestamp()))
    assert one.event["data"] == {"number": "7K3F-9Q2M-X"}
    assert one.event["partitionkey"] == one.event["subject"] == subject
    assert _verified_elsewhere(one, secret)
    assert not _verified_elsewhere(replace(one, body=one.body.replace(b"7K3F", b"8K3F")), secret)


_VERIFY = """
import json, sys
from datetime import datetime, timezone
from unittest import mock
import standardwebhooks.webhooks as library
given = json.load(sys.stdin)
now = datetime.fromtimestamp(int(given["headers"]["webhook-timestamp"]), timezone.utc)
with mock.patch.object(library, "datetime", mock.Mock(wraps=datetime, now=lambda tz: now)):
    try:
        library.Webhook(given["secret"]).verify(given["body"], given["headers"])
    except library.WebhookVerificationError:
        sys.exit(3)
"""


def _verified_elsewhere(received: Received, secret: str) -> bool:
    """Ask the official library in a process of its own, at the instant of the manual clock."""
    given = {
        "secret": secret,
        "body": received.body.decode(),
        "headers": dict(received.headers),
    }
    done = subprocess.run(
        [sys.executable, "-c", _VERIFY], input=orjson.dumps(given), check=False, timeout=30
    )
    assert done.returncode in {0, 3}
    return done.returncode == 0


async def test_both_keys_sign_while_a_rotation_lasts(world: World, crm: Receiver) -> None:
    webhook, old = await world.subscribe(crm.url)
    async with world.messaging.unit_of_work() as work:
        _webhook, new = await world.webhooks.subscribers.rotate(work, webhook.id)
    subject = new_id()

    await world.say(event(subject, 1))
    world.clock.advance(timedelta(days=1))
    await world.say(event(subject, 2))

    during, after = crm.received
    assert len(during.headers["webhook-signature"].split(" ")) == 2
    assert _verified_elsewhere(during, old)
    assert _verified_elsewhere(during, new)
    assert len(after.headers["webhook-signature"].split(" ")) == 1
    assert not _verified_elsewhere(after, old)
    assert _verified_elsewhere(after, new)


async def test_secrets_lie_sealed_in_the_database(world: World, crm: Receiver) -> None:
    webhook, secret = await world.subscribe(crm.url)

    stored = (await world.state(webhook)).secrets

    assert secret.encode() not in stored
    assert b"whsec_" not in stored
