"""Pages are compiled once, whoever reads them, and still speak to each in their own way."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment

from shared.web.pages import Pages
from tests.service.shared_http.ground import TestGround, client_of

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the templates that were compiled."""
    names: list[str] = []
    compile_ = Environment.compile

    def count(self: Environment, source: str, name: str, filename: str) -> object:
        names.append(name)
        return compile_(self, source, name, filename)

    monkeypatch.setattr(Environment, "compile", count)
    return names


def _reader(ground: TestGround, folder: Path) -> httpx.AsyncClient:
    pages, routes = Pages(ground.settings, templates=[folder]), APIRouter()

    @routes.get("/dashboard")
    async def page(request: Request, zone: str) -> HTMLResponse:
        return pages.render(request, "noon.html", zone=ZoneInfo(zone), noon=NOON)

    return client_of(ground.app(routes))


async def _read(reader: httpx.AsyncClient, zone: str, language: str) -> str:
    answer = await reader.get(
        "/dashboard", params={"zone": zone}, headers={"accept-language": language}
    )
    assert answer.status_code == 200
    return answer.text


async def test_a_page_is_compiled_once_and_read_in_each_language_by_each_clock(
    ground: TestGround, tmp_path: Path, compiled: list[str]
) -> None:
    template = tmp_path / "noon.html"
    template.write_text("{{ _('Dashboard') }} {{ 1234567 | number }} {{ noon | datetime }}")
    reader = _reader(ground, tmp_path)

    read = {
        await _read(reader, zone, language)
        for zone in ("Asia/Tokyo", "Europe/Paris")
        for language in ("en", "zh-CN")
    }
    again = _reader(ground, tmp_path)
    read.add(await _read(again, "Asia/Tokyo", "en"))

    assert len(read) == 4
    assert compiled == ["noon.html"]


async def test_a_page_that_was_changed_is_compiled_anew(ground: TestGround, tmp_path: Path) -> None:
    template = tmp_path / "noon.html"
    template.write_text("before")
    assert await _read(_reader(ground, tmp_path), "UTC", "en") == "before"

    template.write_text("after")

    assert await _read(_reader(ground, tmp_path), "UTC", "en") == "after"
