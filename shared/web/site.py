"""The pages that no service owns: start, API reference, problems, sign-in, and the static files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from fastapi import APIRouter, FastAPI, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from shared.events.registry import EVENT_TYPES
from shared.http.app import Ground, create_app
from shared.http.health import Health
from shared.http.openapi import MAKING, merge_openapi
from shared.http.route_table import SITE
from shared.kernel.errors import Unavailable
from shared.web import problem_pages, reference, sign_in
from shared.web.pages import Pages

_STATIC = Path(__file__).parent / "static"

Documents = Callable[[], Sequence[Mapping[str, Any]]]
"""The OpenAPI documents of the services that this site speaks for."""


class Unit(Protocol):
    """What the site needs of `shared.service.ServiceUnit`, which stands above this layer."""

    @property
    def name(self) -> str:
        """The service's name."""

    @property
    def app(self) -> FastAPI:
        """The service's app, made by `create_app`."""


def build_site(platform: Ground, units: Sequence[Unit]) -> FastAPI:
    """Build the app of whatever no service owns, speaking for all `units` (embedded profile)."""
    health = Health(checks={unit.name: partial(_ask, unit.app) for unit in units})
    app = create_app(platform, name=SITE, title="Redress", routers=[], health=health)
    install(app, platform, documents=lambda: [unit.app.openapi() for unit in units])
    for unit in units:
        unit.app.state.problem_page = app.state.problem_page
    return app


async def _ask(app: FastAPI) -> None:
    health: Health = app.state.health
    readiness = await health.readiness()
    wrong = [f"{n}: {part.detail}" for n, part in readiness.parts.items() if part.state != "ok"]
    if wrong:
        raise Unavailable("; ".join(wrong))


def install(app: FastAPI, platform: Ground, *, documents: Documents | None = None) -> None:
    """Put the site on an app made by `create_app`.

    A service's own app speaks for itself; the embedded front gives `documents` of all services,
    and its `/openapi.json` and `/docs` tell of all of them.
    """
    pages = Pages(platform.settings, clock=platform.clock)
    if documents is not None:
        _merge_documents(app, documents)
    app.include_router(_start(pages, platform, app))
    app.include_router(reference.router(pages, app, platform.settings))
    app.include_router(problem_pages.router(pages))
    app.include_router(sign_in.router(pages))
    app.mount("/static", StaticFiles(directory=_STATIC), name="static")
    app.state.problem_page = problem_pages.drawer(pages)


def _merge_documents(app: FastAPI, documents: Documents) -> None:
    own = app.openapi

    def merged() -> dict[str, Any]:
        with MAKING:
            if app.openapi_schema is None or "x-merged" not in app.openapi_schema:
                made = merge_openapi([*documents(), own()], title="Redress")
                app.openapi_schema = made | {"x-merged": True}
            return app.openapi_schema

    app.openapi = merged  # type: ignore[method-assign]  # FastAPI's documented way


def _start(pages: Pages, platform: Ground, app: FastAPI) -> APIRouter:
    routes = APIRouter(include_in_schema=False)

    @routes.get("/", response_class=HTMLResponse)
    async def start(request: Request) -> Response:
        health: Health = app.state.health
        return pages.render(
            request,
            "site/start.html",
            readiness=await health.readiness(),
            events=len(EVENT_TYPES),
            locked=platform.keys.has_keys,
            lines=reference.first_lines(pages, platform.settings, with_key=platform.keys.has_keys),
        )

    @routes.get("/favicon.ico")
    async def favicon() -> Response:
        return RedirectResponse("/static/icon.svg", 308)

    return routes
