"""`/v1/webhooks` and `/v1/events` as callers see them."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from services.notification_service.app import build
from services.notification_service.webhooks.service import targets
from shared.bus.memory import MemoryLog
from shared.db.database import Database
from shared.http.access import Role
from shared.http.keys import KeyStore
from shared.kernel.clock import SystemClock
from shared.kernel.ids import new_id
from shared.kernel.settings import CommonSettings
from shared.kernel.vault import new_master_key
from shared.messaging import idempotency_keys
from shared.service import Platform
from tests.harness.databases import MakeMigratedUrl
from tests.service.notification.webhooks.kit import World, event

URL = "https://crm.example.invalid/hook"


@dataclass
class Door:
    """The service's paths without its loops."""

    http: httpx.AsyncClient
    bus: MemoryLog
    keys: KeyStore
    database_url: str

    async def made(self, **body: Any) -> dict[str, Any]:
        answer = await self.http.post("/v1/webhooks", json={"url": URL, **body})
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found


@pytest.fixture
async def door(
    migrated_url: MakeMigratedUrl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Door]:
    monkeypatch.setenv("REDRESS_WEBHOOK_ALLOWED_NETWORKS", "10.9.0.0/16")
    bus = MemoryLog()
    await bus.ensure_topics()
    url = migrated_url("notification")
    platform = Platform(
        profile="embedded",
        settings=CommonSettings(
            home=tmp_path,
            notification_database_url=url,
            notification_master_key=new_master_key(),
        ),
        home=tmp_path,
        clock=SystemClock(),
        bus=bus,
        keys=KeyStore(tmp_path / "keys.json"),
        replica="notification-1",
    )
    unit = build(platform)
    transport = httpx.ASGITransport(unit.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as http:
        yield Door(http, bus, platform.keys, url)
    for hook in reversed(unit.closing):
        await hook()


async def test_a_subscription_shows_its_secret_once(door: Door) -> None:
    made = await door.made(types=["Closed", "CaseOpened"], categories=["logistics"])

    shown = (await door.http.get(f"/v1/webhooks/{made['id']}")).json()
    listed = (await door.http.get("/v1/webhooks")).json()["items"]

    assert made["secret"].startswith("whsec_")
    assert made["types"] == ["CaseOpened", "Closed"]
    assert (shown["state"], shown["pending"], shown["parked"]) == ("active", 0, 0)
    assert "secret" not in shown
    assert [one["id"] for one in listed] == [made["id"]]
    assert "secret" not in listed[0]


async def test_a_repeated_request_gets_the_same_secret_and_the_database_holds_it_sealed(
    door: Door,
) -> None:
    headers = {"Idempotency-Key": "k1"}

    first = await door.http.post("/v1/webhooks", json={"url": URL}, headers=headers)
    again = await door.http.post("/v1/webhooks", json={"url": URL}, headers=headers)
    other = await door.http.post("/v1/webhooks", json={"url": URL + "2"}, headers=headers)

    assert first.json() == again.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.headers["Location"] == first.headers["Location"]
    assert other.status_code == 422
    database = Database.open(door.database_url)
    async with database.read() as connection:
        (stored,) = await connection.scalars(sa.select(idempotency_keys.c.body))
    await database.close()
    assert b"whsec_" not in bytes(stored)


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({}, "/url", "missing"),
        ({"url": "crm.example.com"}, "/url", "invalid_url"),
        ({"url": "ftp://crm.example.com/"}, "/url", "invalid_url"),
        ({"url": "https://user:pw@crm.example.com/"}, "/url", "invalid_url"),
        ({"url": "https://crm.example.com/#x"}, "/url", "invalid_url"),
        ({"url": "https://" + "x" * 2000}, "/url", "too_long"),
        ({"url": "https://crm.example.com:99999/"}, "/url", "invalid_url"),
        ({"url": "https://crm.example.com:0/"}, "/url", "invalid_url"),
        ({"url": "https://crm..example.com/"}, "/url", "invalid_url"),
        ({"url": "https://crm%2fexample.com/"}, "/url", "invalid_url"),
        ({"url": "https://xn--a.example.com/"}, "/url", "invalid_url"),
        ({"url": "https://crm.example.com\\@127.0.0.1/"}, "/url", "invalid_url"),
        ({"url": "https://127.0.0.1/"}, "/url", "forbidden_address"),
        ({"url": "https://localhost:8000/v1/complaints"}, "/url", "forbidden_address"),
        ({"url": "https://2130706433/"}, "/url", "forbidden_address"),
        ({"url": "https://0x7f.1/"}, "/url", "forbidden_address"),
        ({"url": "https://[::1]/"}, "/url", "forbidden_address"),
        ({"url": "https://[::ffff:169.254.169.254]/latest"}, "/url", "forbidden_address"),
        ({"url": "https://169.254.169.254/latest"}, "/url", "forbidden_address"),
        ({"url": "https://10.0.0.1/"}, "/url", "forbidden_address"),
        ({"url": "http://8.8.8.8/"}, "/url", "forbidden_address"),
        ({"url": URL, "types": ["CaseOpen"]}, "/types", "unknown_event_type"),
        ({"url": URL, "categories": ["a b"]}, "/categories/0", "wrong_pattern"),
        ({"url": URL, "type": ["Closed"]}, "/type", "unknown_field"),
    ],
)
async def test_a_wrong_subscription_is_refused_with_the_field(
    door: Door, body: dict[str, Any], pointer: str, code: str
) -> None:
    answer = await door.http.post("/v1/webhooks", json=body)

    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    errors = [(one["pointer"], one["code"]) for one in answer.json()["errors"]]
    assert (pointer, code) in errors or (code == "wrong_pattern" and errors[0][0] == pointer)


async def test_a_network_that_is_allowed_is_taken_also_without_encryption(door: Door) -> None:
    made = await door.made(url="http://10.9.1.2:8080/hook")

    assert made["url"] == "http://10.9.1.2:8080/hook"


async def test_a_misspelt_type_is_answered_with_the_near_one(door: Door) -> None:
    answer = await door.http.post("/v1/webhooks", json={"url": URL, "types": ["caseopened"]})

    assert 'did you mean "CaseOpened"?' in answer.json()["errors"][0]["detail"]


async def test_a_name_that_changes_its_meaning_is_not_followed_inside(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rebinding(*_args: object, **_options: object) -> list[tuple[Any, ...]]:
        return [
            (socket.AF_INET6, 1, 6, "", ("::ffff:10.0.0.1", 443, 0, 0)),
            (socket.AF_INET, 1, 6, "", ("169.254.169.254", 443)),
        ]

    await door.made()
    monkeypatch.setattr(socket, "getaddrinfo", rebinding)

    again = await door.http.post("/v1/webhooks", json={"url": URL})

    assert again.json()["errors"][0]["code"] == "forbidden_address"


async def test_a_connection_goes_to_the_very_address_that_was_judged(
    migrated_sqlite_url: MakeMigratedUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = ["93.184.216.34", "127.0.0.1"]
    asked: list[str] = []

    def rebinding(host: str, port: int, **_options: object) -> list[tuple[Any, ...]]:
        asked.append(host)
        return [(socket.AF_INET, 1, 6, "", (answers[min(len(asked), 2) - 1], port))]

    database = Database.open(migrated_sqlite_url("notification"))
    world = World(database)
    resolver = targets.Resolver(())
    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    monkeypatch.setattr(targets, "_KEPT_SECONDS", 0.0)

    first = await resolver.addresses(targets.parse_target(URL))
    with pytest.raises(targets.NotAllowed):
        await resolver.addresses(targets.parse_target(URL))

    # What was judged is an address: nobody looks the name up a second time to connect.
    assert first == ["93.184.216.34"]
    assert asked == ["crm.example.invalid"] * 2
    resolver.close()
    await world.close()
    await database.close()


async def test_a_change_changes_what_it_names(door: Door) -> None:
    made = await door.made(types=["Closed"], categories=["logistics"])
    path = f"/v1/webhooks/{made['id']}"

    patched = await door.http.patch(path, json={"categories": None, "url": URL + "/2"})
    replaced = await door.http.put(path, json={"url": URL})

    assert (patched.json()["types"], patched.json()["categories"]) == (["Closed"], [])
    assert patched.json()["url"] == URL + "/2"
    assert replaced.json()["types"] == []
    assert replaced.headers["etag"] == '"3"'


async def test_a_stale_change_is_refused(door: Door) -> None:
    made = await door.made()
    path = f"/v1/webhooks/{made['id']}"
    headers = {"If-Match": '"1"'}

    assert (await door.http.patch(path, json={"types": []}, headers=headers)).status_code == 200
    assert (await door.http.patch(path, json={"types": []}, headers=headers)).status_code == 412
    assert (await door.http.delete(path, headers=headers)).status_code == 412


async def test_a_change_to_a_forbidden_address_is_refused(door: Door) -> None:
    made = await door.made()

    answer = await door.http.patch(
        f"/v1/webhooks/{made['id']}", json={"url": "https://192.168.0.1/"}
    )

    assert answer.json()["errors"][0]["pointer"] == "/url"


async def test_pausing_resuming_rotating_and_deleting(door: Door) -> None:
    made = await door.made()
    path = f"/v1/webhooks/{made['id']}"

    paused = await door.http.post(path + "/pause")
    resumed = await door.http.post(path + "/resume")
    rotated = await door.http.post(path + "/rotate")
    deleted = await door.http.delete(path)

    assert (paused.json()["state"], resumed.json()["state"]) == ("paused", "active")
    assert rotated.json()["secret"] != made["secret"]
    assert rotated.json()["old_secrets_end_at"] is not None
    assert deleted.status_code == 204
    for answer in (
        await door.http.get(path),
        await door.http.get(path + "/deliveries"),
        await door.http.post(path + "/pause"),
        await door.http.delete(path),
    ):
        assert answer.status_code == 404
        assert answer.json()["type"] == "/problems/unknown-webhook"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"from": "2026-11-22T08:00:00Z"},
        {"from": "2026-11-22T08:00:00Z", "to": "2026-11-22T08:00:00Z"},
        {"from": "2026-11-22T08:00:00", "to": "2026-11-22T09:00:00"},
        {"event_id": "x", "from": "2026-11-22T08:00:00Z", "to": "2026-11-22T09:00:00Z"},
        {"event_id": ""},
    ],
)
async def test_a_resend_that_says_not_what_is_refused(door: Door, body: dict[str, Any]) -> None:
    made = await door.made()

    answer = await door.http.post(f"/v1/webhooks/{made['id']}/resend", json=body)

    assert answer.status_code == 422, answer.text


async def test_resending_an_unknown_event_is_not_found_and_an_empty_range_is_nothing(
    door: Door,
) -> None:
    made = await door.made()
    path = f"/v1/webhooks/{made['id']}/resend"
    span = {"from": "2026-11-22T08:00:00Z", "to": "2026-11-22T16:30:00+08:00"}

    unknown = await door.http.post(path, json={"event_id": new_id()})
    nothing = await door.http.post(path, json=span)

    assert unknown.status_code == 404
    assert nothing.json() == {"resent": 0}


async def test_a_range_is_sent_again_once_per_key(door: Door) -> None:
    made = await door.made()
    path = f"/v1/webhooks/{made['id']}/resend"
    span = {"from": "2026-11-22T08:00:00Z", "to": "2026-11-22T16:30:00+08:00"}
    key = {"Idempotency-Key": "again-1"}

    first = await door.http.post(path, json=span, headers=key)
    second = await door.http.post(path, json=span, headers=key)
    gone = await door.http.post(f"/v1/webhooks/{new_id()}/resend", json=span)

    assert first.json() == second.json() == {"resent": 0}
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    assert gone.status_code == 404


async def test_webhooks_and_events_are_for_integrations(door: Door) -> None:
    door.keys.create(role=Role.ADMIN, name="first")
    crm = {"authorization": f"Bearer {door.keys.create(role=Role.INTEGRATION, name='crm')}"}
    agent = {"authorization": f"Bearer {door.keys.create(role=Role.AGENT, name='agent')}"}

    for path in ("/v1/webhooks", "/v1/events"):
        assert (await door.http.get(path)).status_code == 401
        assert (await door.http.get(path, headers=agent)).status_code == 403
        assert (await door.http.get(path, headers=crm)).status_code == 200


async def test_the_feed_gives_cloud_events_page_by_page(door: Door) -> None:
    subject = new_id()
    producer = await door.bus.producer()
    await producer.publish(
        [event(subject, 1, "CaseOpened", number="n"), event(subject, 2, "Closed")]
    )

    first = (await door.http.get("/v1/events", params={"limit": 1})).json()
    second = (await door.http.get("/v1/events", params={"after": first["cursor"]})).json()
    end = await door.http.get("/v1/events", params={"after": second["cursor"]})

    assert [one["type"] for one in first["items"] + second["items"]] == ["CaseOpened", "Closed"]
    assert first["items"][0]["data"] == {"number": "n"}
    assert end.json() == {"items": [], "cursor": second["cursor"]}


async def test_the_feed_takes_types_repeated_or_with_commas(door: Door) -> None:
    subject = new_id()
    producer = await door.bus.producer()
    names = ("CaseOpened", "Resolved", "Closed")
    await producer.publish([event(subject, n, name) for n, name in enumerate(names, 1)])

    commas = (await door.http.get("/v1/events?types=CaseOpened,Closed")).json()
    repeated = (await door.http.get("/v1/events?types=CaseOpened&types=Closed")).json()

    assert [one["type"] for one in commas["items"]] == ["CaseOpened", "Closed"]
    assert repeated == commas


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("after=nonsense", "/query/after"),
        ("wait=31", "/query/wait"),
        ("wait=-1", "/query/wait"),
        ("limit=0", "/query/limit"),
        ("limit=201", "/query/limit"),
        ("types=Closd", "/query/types"),
        ("tpyes=Closed", "/query/tpyes"),
    ],
)
async def test_a_wrong_question_is_refused_with_the_field(
    door: Door, query: str, pointer: str
) -> None:
    answer = await door.http.get(f"/v1/events?{query}")

    assert answer.status_code == 422
    assert [one["pointer"] for one in answer.json()["errors"]] == [pointer]


@pytest.mark.parametrize("path", ["/a%00b", "/a%00b/deliveries", "/{id}/deliveries?event_id=%00"])
async def test_what_no_database_takes_is_no_fault_of_ours(door: Door, path: str) -> None:
    made = await door.made()

    answer = await door.http.get("/v1/webhooks" + path.format(id=made["id"]))

    assert answer.status_code in {404, 422}, answer.text
