"""The pages that no service owns, as a browser and as a client get them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI
from pydantic import BaseModel, Field

from shared.http.auth import Role, Scope, requires
from shared.kernel.errors import NotFound, Unavailable
from shared.web.problem_pages import explanations
from shared.web.site import build_site
from tests.service.shared_http.ground import TestGround, client_of

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


class Parcel(BaseModel):
    weight: int = Field(description="In grams", examples=[250])
    label: str


@dataclass
class Unit:
    name: str
    app: FastAPI


def _routes() -> APIRouter:
    routes = APIRouter()

    @routes.post("/v1/cases", status_code=201)
    async def create_parcel(parcel: Parcel) -> Parcel:
        """Send a parcel."""
        return parcel

    @routes.get("/dashboard", dependencies=[Depends(requires(Scope.ANALYTICS_READ))])
    async def dashboard() -> str:
        return "figures"

    return routes


@pytest.fixture
def unit(ground: TestGround) -> Unit:
    return Unit("workflow", ground.app(_routes()))


@pytest.fixture
async def site(ground: TestGround, unit: Unit) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(build_site(ground, [unit])) as client:
        client.headers.update(BROWSER)
        yield client


@pytest.fixture
async def service(site: httpx.AsyncClient, unit: Unit) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(unit.app) as client:
        client.headers.update(BROWSER)
        yield client


async def test_every_page_is_there_in_both_languages(site: httpx.AsyncClient) -> None:
    for path in ("/", "/docs", "/problems", "/problems/invalid-input", "/sign-in"):
        chinese, english = await site.get(f"{path}?lang=zh-CN"), await site.get(f"{path}?lang=en")

        assert (chinese.status_code, english.status_code) == (200, 200)
        assert '<html lang="zh-CN">' in chinese.text
        assert '<html lang="en">' in english.text
        assert re.search("[\u4e00-\u9fff]", chinese.text)


async def test_no_page_asks_another_host_for_anything(site: httpx.AsyncClient) -> None:
    for path in ("/", "/docs", "/problems", "/sign-in", "/static/site.css"):
        answer = await site.get(path)

        loaded = re.findall(r'(?:src|href)="(https?:)?//[^"]+"|url\(["\']?https?:', answer.text)
        assert loaded == []


async def test_a_page_forbids_scripts_but_its_own(site: httpx.AsyncClient) -> None:
    answer = await site.get("/docs")

    policy = answer.headers["content-security-policy"]
    nonce = re.search(r"'nonce-([^']+)'", policy)
    assert policy.startswith("default-src 'self'")
    assert nonce is not None
    assert f'<style nonce="{nonce[1]}">' in answer.text
    assert not re.search(r"\son\w+=", answer.text)


async def test_the_language_switch_keeps_the_page_and_is_remembered(
    site: httpx.AsyncClient,
) -> None:
    page = await site.get("/problems?lang=en&x=1")
    later = await site.get("/")

    assert 'href="/problems?x=1&amp;lang=zh-CN"' in page.text
    assert '<html lang="en">' in later.text


async def test_the_browsers_language_is_taken_where_nothing_was_chosen(
    site: httpx.AsyncClient,
) -> None:
    english = await site.get("/", headers={"Accept-Language": "fr, en-US;q=0.8, zh;q=0.5"})
    other = await site.get("/", headers={"Accept-Language": "fr"})

    assert '<html lang="en">' in english.text
    assert '<html lang="zh-CN">' in other.text


async def test_the_reference_shows_fields_and_a_line_to_paste(site: httpx.AsyncClient) -> None:
    text = (await site.get("/docs?lang=en")).text

    assert "In grams" in text
    assert "curl -s http://127.0.0.1:8000/v1/cases" in text
    assert "{&#34;weight&#34;:250," in text


async def test_one_document_tells_of_every_service(site: httpx.AsyncClient) -> None:
    document = (await site.get("/openapi.json")).json()

    assert "/v1/cases" in document["paths"]
    assert "/health/ready" in document["paths"]


async def test_the_start_page_tells_which_service_is_not_ready(
    ground: TestGround, unit: Unit
) -> None:
    unit.app.state.health.add("bank", _fail)
    async with client_of(build_site(ground, [unit])) as client:
        ready, page = await client.get("/health/ready"), await client.get("/?lang=en")

    assert ready.status_code == 503
    assert ready.json()["parts"]["workflow"]["detail"] == "bank: OSError: closed on Sundays"
    assert "not ready" in page.text


async def _fail() -> None:
    raise OSError("closed on Sundays")


async def test_every_kind_of_problem_is_explained(site: httpx.AsyncClient) -> None:
    for code in explanations():
        page = await site.get(f"/problems/{code}")
        told = await site.get(f"/problems/{code}", headers={"Accept": "application/json"})

        assert page.status_code == 200
        assert told.json()["type"] == f"/problems/{code}"
        assert told.json()["meaning"]
    assert (await site.get("/problems/unheard-of")).status_code == 404


async def test_a_browser_gets_a_page_and_a_client_a_problem(site: httpx.AsyncClient) -> None:
    page = await site.get("/nowhere?lang=en")
    told = await site.get("/nowhere", headers={"Accept": "*/*"})

    assert page.headers["content-type"].startswith("text/html")
    assert "There is no such path" in page.text
    assert told.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/track/x", "/survey/x", "/answer/x", "/preferences/x"])
async def test_a_customers_dead_link_shows_no_ways_into_the_house(
    site: httpx.AsyncClient, path: str
) -> None:
    page = await site.get(f"{path}?lang=en")

    assert page.status_code == 404
    assert "Dashboard" not in page.text
    assert "Sign in" not in page.text


@pytest.mark.parametrize(
    ("lang", "said"), [("en", "try again in a few minutes"), ("zh-CN", "请过几分钟再试")]
)
async def test_what_broke_inside_is_no_customers_reading(
    ground: TestGround, unit: Unit, lang: str, said: str
) -> None:
    broken = build_site(ground, [unit])

    @broken.get("/track/x")
    @broken.get("/cases/x")
    async def fail() -> None:
        raise Unavailable("http://10.0.0.7:8001/v1/internal/intake/tracked: answered 503")

    async with client_of(broken) as client:
        customers, ours = [
            await client.get(f"{path}?lang={lang}", headers=BROWSER)
            for path in ("/track/x", "/cases/x")
        ]

    assert customers.status_code == ours.status_code == 503
    assert said in customers.text
    assert "10.0.0.7" not in customers.text
    assert "10.0.0.7" in ours.text
    assert "Idempotency-Key" not in customers.text + ours.text


@pytest.mark.parametrize(
    ("lang", "lead"),
    [
        ("en", ">there is no delivery nope</p>"),
        ("zh-CN", ">此编号下没有内容，或已被删除。</p>"),
    ],
)
async def test_a_problem_is_told_in_the_readers_language_first(
    ground: TestGround, unit: Unit, lang: str, lead: str
) -> None:
    broken = build_site(ground, [unit])

    @broken.get("/cases/x")
    async def fail() -> None:
        raise NotFound("there is no delivery nope")

    async with client_of(broken) as client:
        page = (await client.get(f"/cases/x?lang={lang}", headers=BROWSER)).text

    assert lead in page.partition('class="lead"')[2]
    assert page.count("there is no delivery nope") == 1


@pytest.mark.parametrize("path", ["/", "/sign-in"])
async def test_chinese_sentences_have_no_space_between_them(
    site: httpx.AsyncClient, path: str
) -> None:
    page = (await site.get(f"{path}?lang=zh-CN")).text

    assert "本机" in page
    assert not re.search(r"[。：](</strong>)?\s+[^\s<]", page.partition("<main")[2])
    assert not re.search(r"[。：](</strong>)?\s+<code>", page)


async def test_a_customers_page_bears_the_name_of_who_writes_to_them(
    ground: TestGround, unit: Unit
) -> None:
    ground.settings = ground.settings.model_copy(update={"company": "悦购"})

    async with client_of(build_site(ground, [unit])) as client:
        customers, ours = [
            await client.get(path, headers=BROWSER) for path in ("/track/x", "/docs?lang=en")
        ]

    assert "· 悦购</title>" in customers.text
    assert "Redress" not in customers.text
    assert "· Redress</title>" in ours.text


async def test_what_callers_send_is_never_markup(site: httpx.AsyncClient) -> None:
    page = await site.get("/%3Cscript%3Ealert(1)%3C/script%3E?q=<script>&lang=en")

    assert "<script>" not in page.text


async def test_a_stranger_is_led_to_the_sign_in_and_back(
    ground: TestGround, service: httpx.AsyncClient
) -> None:
    ground.keys.create(role=Role.ANALYST, name="desk")

    answer = await service.get("/dashboard?from=2026-11-01")

    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=/dashboard%3Ffrom%3D2026-11-01"


async def test_a_key_is_traded_for_a_cookie(
    ground: TestGround, site: httpx.AsyncClient, service: httpx.AsyncClient
) -> None:
    secret = ground.keys.create(role=Role.ANALYST, name="desk")

    answer = await site.post("/sign-in", data={"key": secret, "next": "/dashboard"})
    service.cookies = site.cookies

    assert (answer.status_code, answer.headers["location"]) == (303, "/dashboard")
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert "samesite=lax" in answer.headers["set-cookie"].lower()
    assert (await service.get("/dashboard")).status_code == 200


@pytest.mark.parametrize(
    ("role", "offered"),
    [
        (Role.AGENT, {"/cases", "/outbox"}),
        (Role.ANALYST, {"/dashboard"}),
        (Role.DEPARTMENT, {"/cases"}),
        (Role.LEAD, {"/cases", "/dashboard", "/outbox"}),
    ],
)
async def test_nobody_is_offered_a_page_that_their_role_cannot_open(
    ground: TestGround, site: httpx.AsyncClient, role: Role, offered: set[str]
) -> None:
    secret = ground.keys.create(role=role, name="desk")
    await site.post("/sign-in", data={"key": secret})

    start, other = await site.get("/"), await site.get("/problems")

    all_pages = {"/cases", "/dashboard", "/outbox"}
    assert all_pages & set(re.findall(r'href="([^"]+)"', start.text)) == offered
    assert all_pages & set(re.findall(r'href="([^"]+)"', other.text)) == offered


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("zh-CN", "这需要权限 analytics:read，当前凭证没有。"),
        ("en", "This needs the scope analytics:read, which the credential does not have."),
    ],
)
async def test_a_page_that_is_not_allowed_says_so_in_the_readers_language(
    ground: TestGround,
    site: httpx.AsyncClient,
    service: httpx.AsyncClient,
    language: str,
    words: str,
) -> None:
    secret = ground.keys.create(role=Role.AGENT, name="desk")
    await site.post("/sign-in", data={"key": secret})
    service.cookies = site.cookies

    page = await service.get("/dashboard", headers={"Accept-Language": language})
    told = await service.get("/dashboard", headers={"Accept": "*/*"})

    assert page.status_code == told.status_code == 403
    assert words in page.text
    assert f'<html lang="{language}">' in page.text
    assert told.json()["scope"] == "analytics:read"


async def test_a_wrong_key_is_told_next_to_its_field(
    ground: TestGround, site: httpx.AsyncClient
) -> None:
    ground.keys.create(role=Role.ANALYST, name="desk")

    answer = await site.post("/sign-in?lang=en", data={"key": "rk_wrong"})

    assert answer.status_code == 422
    assert 'id="key-error">This key is not known.' in answer.text
    assert "rk_wrong" not in answer.text
    assert "redress_session" not in answer.headers.get("set-cookie", "")


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example", "/\\evil", "x\n"])
async def test_the_sign_in_leads_nowhere_else(
    ground: TestGround, site: httpx.AsyncClient, target: str
) -> None:
    secret = ground.keys.create(role=Role.ANALYST, name="desk")

    answer = await site.post("/sign-in", data={"key": secret, "next": target})

    assert answer.headers["location"] == "/"


async def test_signing_out_needs_the_pages_own_token(
    ground: TestGround, site: httpx.AsyncClient
) -> None:
    secret = ground.keys.create(role=Role.ANALYST, name="desk")
    await site.post("/sign-in", data={"key": secret})
    found = re.search(r'name="form_token" value="([^"]+)"', (await site.get("/")).text)
    assert found is not None

    forged = await site.post("/sign-out", data={"form_token": "x"})
    real = await site.post("/sign-out", data={"form_token": found[1]})

    assert (forged.status_code, real.status_code) == (403, 303)
    assert "redress_session" not in site.cookies


async def test_a_session_ends_with_its_key(
    ground: TestGround, site: httpx.AsyncClient, service: httpx.AsyncClient
) -> None:
    secret = ground.keys.create(role=Role.ANALYST, name="desk")
    ground.keys.create(role=Role.ADMIN, name="other")
    await site.post("/sign-in", data={"key": secret})
    service.cookies = site.cookies
    ground.keys.revoke(ground.keys.list()[0].id)

    assert (await service.get("/dashboard")).status_code == 303


async def test_a_forged_cookie_is_no_session(
    ground: TestGround, service: httpx.AsyncClient
) -> None:
    ground.keys.create(role=Role.ADMIN, name="x")
    key_id = ground.keys.list()[0].id
    service.cookies.set("redress_session", f"{key_id}.9999999999.AAAA")

    assert (await service.get("/dashboard")).status_code == 303
