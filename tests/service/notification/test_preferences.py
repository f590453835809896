"""Preferences over HTTP: read, written by version, refused where wrong, and who changed them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from pydantic import JsonValue

from services.notification_service.app import build
from services.notification_service.messages.repository.routing import packaged_table
from services.notification_service.messages.service.planning import Planner
from shared.bus.memory import MemoryLog
from shared.db.database import Database
from shared.http.access import Role
from shared.http.keys import KeyStore
from shared.kernel.clock import ManualClock
from shared.kernel.settings import CommonSettings
from shared.kernel.vault import Vault, new_master_key
from shared.messaging import Messaging
from shared.service import Platform
from tests.harness.databases import MakeMigratedUrl
from tests.service.notification.conftest import START, received

CHOSEN: dict[str, JsonValue] = {
    "channel": "email",
    "locale": "en",
    "timezone": "America/New_York",
    "quiet_hours": {"from": "21:30", "to": "08:30"},
    "consent": {
        "service": {"sms": False, "email": None},
        "survey": {"sms": False, "email": True},
    },
    "do_not_contact": False,
}


@dataclass
class Site:
    """The service's paths without its loops, one customer known to it."""

    http: httpx.AsyncClient
    clock: ManualClock
    keys: KeyStore
    customer_id: str

    @property
    def path(self) -> str:
        return f"/v1/customers/{self.customer_id}/preferences"


@pytest.fixture
async def site(migrated_url: MakeMigratedUrl, tmp_path: Path) -> AsyncIterator[Site]:
    """The service on each dialect."""
    url, clock, bus = migrated_url("notification"), ManualClock(START), MemoryLog()
    settings = CommonSettings(
        home=tmp_path, notification_database_url=url, notification_master_key=new_master_key()
    )
    keys = KeyStore(tmp_path / "keys.json")
    unit = build(Platform("embedded", settings, tmp_path, clock, bus, keys, "notification-1"))
    database, complaint = Database.open(url), received()
    async with Messaging(database=database, clock=clock).unit_of_work() as work:
        await Planner(vault=Vault(bytes(32)), routing=packaged_table(), wake=lambda: None).remember(
            work, [complaint]
        )
    transport = httpx.ASGITransport(unit.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as http:
        yield Site(http, clock, keys, complaint.customer_id)
    await database.close()
    for close in reversed(unit.closing):
        await close()


async def test_a_customer_who_chose_nothing_has_version_zero(site: Site) -> None:
    answer = await site.http.get(site.path)

    assert answer.status_code == 200
    assert answer.headers["etag"] == '"0"'
    told = answer.json()
    assert (told["customer_id"], told["channel"], told["quiet_hours"]) == (
        site.customer_id,
        None,
        None,
    )
    assert (told["changed_by"], told["changed_at"], told["changes"]) == (None, None, [])


async def test_what_was_put_is_read_back_with_who_and_when(site: Site) -> None:
    put = await site.http.put(site.path, json=CHOSEN)
    read = await site.http.get(site.path)

    assert put.status_code == 200
    assert put.json() == read.json()
    told = read.json()
    assert {name: told[name] for name in CHOSEN} == CHOSEN
    assert (told["version"], read.headers["etag"]) == (1, '"1"')
    assert (told["changed_by"], told["changed_at"]) == ("local", "2026-11-23T02:00:00Z")
    (change,) = told["changes"]
    assert change["fields"] == ["channel", "locale", "timezone", "quiet_hours", "consent"]


async def test_what_is_left_out_is_chosen_no_longer_and_each_change_is_kept(site: Site) -> None:
    await site.http.put(site.path, json=CHOSEN)
    await site.http.put(site.path, json={"channel": "email", "do_not_contact": True})

    told = (await site.http.get(site.path)).json()

    assert (told["version"], told["timezone"], told["do_not_contact"]) == (2, None, True)
    assert [(one["version"], one["fields"]) for one in told["changes"]] == [
        (2, ["locale", "timezone", "quiet_hours", "consent", "do_not_contact"]),
        (1, ["channel", "locale", "timezone", "quiet_hours", "consent"]),
    ]


async def test_the_same_again_is_no_change(site: Site) -> None:
    await site.http.put(site.path, json=CHOSEN)

    again = await site.http.put(site.path, json=CHOSEN)

    assert (again.status_code, again.json()["version"]) == (200, 1)


async def test_a_stale_version_is_refused_and_changes_nothing(site: Site) -> None:
    await site.http.put(site.path, json=CHOSEN, headers={"if-match": '"0"'})

    stale = await site.http.put(site.path, json={"channel": "sms"}, headers={"if-match": '"0"'})
    wrong = await site.http.put(site.path, json={}, headers={"if-match": "0"})

    assert (stale.status_code, wrong.status_code) == (412, 422)
    assert (await site.http.get(site.path)).json()["channel"] == "email"


async def test_of_two_who_change_the_same_version_one_wins(site: Site) -> None:
    answers = await asyncio.gather(
        *(
            site.http.put(site.path, json={"channel": channel}, headers={"if-match": '"0"'})
            for channel in ("sms", "email")
        )
    )

    assert sorted(answer.status_code for answer in answers) == [200, 412]
    assert (await site.http.get(site.path)).json()["version"] == 1


async def test_every_wrong_field_is_named_and_a_near_one_suggested(site: Site) -> None:
    answer = await site.http.put(
        site.path,
        json={
            "chanel": "sms",
            "timezone": "Asia/Shanghia",
            "quiet_hours": {"from": "9pm", "to": "08:00"},
            "consent": {"surveys": {}},
        },
    )

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    errors = {error["pointer"]: error["detail"] for error in answer.json()["errors"]}
    assert set(errors) == {"/chanel", "/timezone", "/quiet_hours/from", "/consent/surveys"}
    assert 'did you mean "channel"?' in errors["/chanel"]
    assert 'did you mean "survey"?' in errors["/consent/surveys"]


@pytest.mark.parametrize("customer", ["01990000-0000-7000-8000-000000000000", "nobody", "%27"])
async def test_an_unknown_customer_is_not_found(site: Site, customer: str) -> None:
    path = f"/v1/customers/{customer}/preferences"

    assert (await site.http.get(path)).status_code == 404
    assert (await site.http.put(path, json={})).status_code == 404


async def test_preferences_are_not_for_strangers_and_not_changed_by_readers(site: Site) -> None:
    site.keys.create(role=Role.ADMIN, name="first")
    quality = site.keys.create(role=Role.QUALITY, name="reads")
    crm = site.keys.create(role=Role.INTEGRATION, name="crm")

    def by(key: str) -> dict[str, str]:
        return {"authorization": f"Bearer {key}"}

    assert (await site.http.get(site.path)).status_code == 401
    assert (await site.http.get(site.path, headers=by(quality))).status_code == 200
    assert (await site.http.put(site.path, json={}, headers=by(quality))).status_code == 403
    changed = await site.http.put(site.path, json=CHOSEN, headers=by(crm))
    known = site.keys.find(crm)
    assert known is not None
    assert changed.json()["changed_by"] == known.id
