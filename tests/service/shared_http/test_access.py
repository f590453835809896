"""Who is let in, and how far."""

from __future__ import annotations

import stat
from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, Depends
from structlog.testing import capture_logs

from shared.http.auth import KeyStore, Principal, Role, Scope, ensure_may_listen, requires
from shared.kernel.errors import ConfigurationError
from tests.service.shared_http.ground import TestGround, client_of

Reader = Annotated[Principal, Depends(requires(Scope.CASES_READ))]
Writer = Annotated[Principal, Depends(requires(Scope.CASES_WRITE))]
Service = Annotated[Principal, Depends(requires(Scope.SERVICE))]


def _routes() -> APIRouter:
    routes = APIRouter()

    @routes.get("/cases")
    async def cases(caller: Reader) -> dict[str, str]:
        return {"caller": caller.id}

    @routes.post("/cases")
    async def act(caller: Writer) -> dict[str, str]:
        return {"caller": caller.id}

    @routes.get("/internal")
    async def internal(caller: Service) -> dict[str, str]:
        return {"caller": caller.id}

    return routes


def _client(ground: TestGround, secret: str | None = None) -> httpx.AsyncClient:
    headers = [("Authorization", f"Bearer {secret}")] if secret else []
    return client_of(ground.app(_routes()), headers)


async def test_without_any_key_everybody_here_is_admin(ground: TestGround) -> None:
    async with _client(ground) as client:
        assert (await client.get("/cases")).json() == {"caller": "local"}


async def test_the_open_door_does_not_lead_to_what_services_tell_each_other(
    ground: TestGround,
) -> None:
    async with _client(ground) as client:
        assert (await client.get("/internal")).status_code == 403


async def test_the_first_key_shuts_the_door(ground: TestGround) -> None:
    ground.keys.create(role=Role.AGENT, name="crm")

    async with _client(ground) as client:
        answer = await client.get("/cases")

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_a_key_reaches_as_far_as_its_role(ground: TestGround) -> None:
    secret = ground.keys.create(role=Role.INTEGRATION, name="crm")

    async with _client(ground, secret) as client:
        assert (await client.get("/cases")).status_code == 200
        assert (await client.post("/cases")).status_code == 403


async def test_a_key_made_elsewhere_is_noticed(ground: TestGround) -> None:
    first = ground.keys.create(role=Role.ADMIN, name="first")
    elsewhere = KeyStore(ground.home / "keys.json")
    second = elsewhere.create(role=Role.ADMIN, name="second")
    fresh = KeyStore(ground.home / "keys.json")

    assert fresh.find(first) is not None
    assert fresh.find(second) is not None


async def test_a_revoked_key_is_not_known_any_more(ground: TestGround) -> None:
    secret = ground.keys.create(role=Role.ADMIN, name="gone")
    ground.keys.create(role=Role.ADMIN, name="stays")
    ground.keys.revoke(ground.keys.list()[0].id)

    async with _client(ground, secret) as client:
        assert (await client.get("/cases")).status_code == 401


async def test_revoking_the_last_key_does_not_open_the_door_again(ground: TestGround) -> None:
    ground.keys.create(role=Role.ADMIN, name="only")
    ground.keys.revoke(ground.keys.list()[0].id)

    async with _client(ground) as client:
        assert (await client.get("/cases")).status_code == 401


async def test_a_keys_file_that_goes_away_does_not_open_the_door(
    ground: TestGround, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.http.keys._LOOK_AGAIN_SECONDS", 0)
    ground.keys.create(role=Role.ADMIN, name="a")

    (ground.home / "keys.json").unlink()

    assert ground.keys.has_keys


async def test_a_keys_file_that_is_damaged_meanwhile_leaves_the_keys_as_they_were(
    ground: TestGround, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.http.keys._LOOK_AGAIN_SECONDS", 0)
    path = ground.home / "keys.json"
    secret = ground.keys.create(role=Role.ADMIN, name="a")
    whole = path.read_bytes()
    path.write_text("{broken")

    with capture_logs() as lines:
        async with _client(ground, secret) as client:
            answers = [await client.get("/cases") for _ in range(3)]
        async with _client(ground) as client:
            stranger = await client.get("/cases")
    path.write_bytes(whole.replace(b'"keys"', b'"no_keys"'))
    mended = ground.keys.find(secret)

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert stranger.status_code == 401
    assert [line["event"] for line in lines if line["log_level"] == "error"] == ["keys.refused"]
    assert mended is None


async def test_the_services_credential_opens_what_is_internal_only(ground: TestGround) -> None:
    async with _client(ground, ground.keys.service_credential) as client:
        assert (await client.get("/internal")).json() == {"caller": "service"}
        assert (await client.get("/cases")).status_code == 403


async def test_the_file_holds_hashes_and_is_its_owners_alone(ground: TestGround) -> None:
    secret = ground.keys.create(role=Role.ADMIN, name="x")
    path = ground.home / "keys.json"

    assert secret not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_too_many_requests_of_one_key_are_refused(
    ground: TestGround, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDRESS_RATE_LIMIT_BURST", "2")
    monkeypatch.setenv("REDRESS_RATE_LIMIT_PER_SECOND", "0.1")
    secret = ground.keys.create(role=Role.ADMIN, name="eager")

    async with _client(ground, secret) as client:
        answers = [await client.get("/cases") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 1 <= int(answers[2].headers["retry-after"]) <= 10


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
        {"Host": "["},
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example:8000"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
    ],
)
async def test_a_foreign_page_cannot_use_the_open_door(
    ground: TestGround, headers: dict[str, str]
) -> None:
    async with _client(ground) as client:
        answer = await client.post("/cases", headers=headers)

    assert answer.status_code == 403
    assert answer.json()["type"] == "/problems/foreign-caller"


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000", "[::1]:8000"])
async def test_this_machines_own_pages_can_use_the_open_door(ground: TestGround, host: str) -> None:
    async with _client(ground) as client:
        answer = await client.post("/cases", headers={"Host": host, "Origin": f"http://{host}"})

    assert answer.status_code == 200


def test_listening_for_others_needs_a_key(ground: TestGround) -> None:
    ensure_may_listen("127.0.0.1", ground.keys)
    with pytest.raises(ConfigurationError, match="REDRESS_HOST"):
        ensure_may_listen("0.0.0.0", ground.keys)

    ground.keys.create(role=Role.ADMIN, name="x")

    ensure_may_listen("0.0.0.0", ground.keys)


def test_a_damaged_keys_file_is_named(ground: TestGround) -> None:
    (ground.home / "keys.json").write_text("{")

    with pytest.raises(ConfigurationError, match="REDRESS_KEYS_FILE"):
        _ = ground.keys.has_keys
