"""The app of a service: its routers, and around them what every service does alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from types import MappingProxyType
from typing import Protocol
from urllib.parse import urlsplit

from fastapi import APIRouter, FastAPI, Request
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp

from shared.http import contract, problems
from shared.http.auth import Gate, is_loopback
from shared.http.body import BodyGuard
from shared.http.edge import Edge
from shared.http.health import Health
from shared.http.health import router as health_router
from shared.http.keys import KeyStore
from shared.http.openapi import describe, operation_id
from shared.http.origin import OriginGuard
from shared.http.rate import RateLimiter
from shared.http.raw import Direct, RawRoutes, raw_routes
from shared.http.sessions import Sessions
from shared.http.settings import HttpSettings
from shared.kernel.clock import Clock
from shared.kernel.errors import RedressError
from shared.kernel.settings import CommonSettings, load

VERSION = "1"


class Ground(Protocol):
    """What an app needs of `shared.service.Platform`, which stands above this layer."""

    @property
    def settings(self) -> CommonSettings: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def keys(self) -> KeyStore: ...


class ServiceApp(FastAPI):
    """FastAPI inside the edge, so that error answers too have their request id and are counted."""

    service = "redress"
    raw: RawRoutes = MappingProxyType({})

    def build_middleware_stack(self) -> ASGIApp:
        """Put the edge around everything, and raw routes right behind it and the same guards."""
        everything = super().build_middleware_stack()
        direct = Direct(everything, owner=self, routes=self.raw, guarded=self._behind_guards)
        return Edge(direct, service=self.service)

    def _behind_guards(self, app: ASGIApp) -> ASGIApp:
        for guard in reversed(self.user_middleware):
            app = guard.cls(app, *guard.args, **guard.kwargs)
        return app


def create_app(
    platform: Ground, *, name: str, title: str, routers: Sequence[APIRouter], health: Health
) -> FastAPI:
    """Build a service's app: its routers, health, metrics, the event contract, and the guards.

    Pages that belong to no service are put on it by `shared.web.site.install`.
    """
    app = ServiceApp(
        title=title,
        version=VERSION,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=operation_id,
    )
    app.service = name
    app.raw = raw_routes(routers)
    app.state.gate = gate = _gate(platform)
    app.state.health = health
    problems.install(app)
    app.add_middleware(BodyGuard, refuse=_refuse)
    app.add_middleware(
        OriginGuard, is_open=_is_open(gate), names=_own_names(platform.settings), refuse=_refuse
    )
    for router in routers:
        app.include_router(router)
    app.include_router(health_router(health))
    app.include_router(contract.router())
    describe(app)
    return app


def _gate(platform: Ground) -> Gate:
    settings = load(HttpSettings)
    common = platform.settings
    sessions = Sessions(
        platform.keys,
        platform.clock,
        lasts=timedelta(hours=settings.session_hours),
        secure=common.base_url.startswith("https:"),
    )
    rate = RateLimiter(per_second=settings.rate_limit_per_second, burst=settings.rate_limit_burst)
    return Gate(platform.keys, sessions, rate, open_on_loopback=is_loopback(common.host))


def _is_open(gate: Gate) -> Callable[[], bool]:
    return lambda: gate.open_on_loopback and not gate.keys.has_keys


def _own_names(settings: CommonSettings) -> frozenset[str]:
    own = urlsplit(settings.base_url).hostname
    return frozenset({own.lower()}) if own else frozenset()


def _refuse(connection: HTTPConnection, error: RedressError) -> ASGIApp:
    return problems.respond(Request(connection.scope), problems.problem_of(error))
