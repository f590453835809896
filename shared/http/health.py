"""Health that tells the truth: alive means the process answers, ready that every part works."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Literal

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel, ConfigDict
from sqlalchemy import text

from shared.bus.port import Bus
from shared.db.database import Database
from shared.events.topics import COMPLAINTS
from shared.kernel.errors import RedressError

_PATIENCE_SECONDS = 2.0

Check = Callable[[], Awaitable[None]]


class Part(BaseModel):
    """How one part does; `detail` says what is wrong with it.

    `waiting`: it does not work, and the service does without: what is for it is kept.
    """

    state: Literal["ok", "waiting", "failing"]
    detail: str | None = None


class Readiness(BaseModel):
    """Whether the service can do its work, and which part keeps it from it."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"ready": True, "parts": {"database": {"state": "ok"}}}}
    )

    ready: bool
    parts: dict[str, Part]


class Health:
    """What readiness asks: the database, the log, background loops, and checks of one's own.

    A check raises where its part does not work; one that takes over two seconds counts as failing.
    Parts named in `does_without` wait instead: the service is ready all the same.
    """

    def __init__(
        self,
        *,
        database: Database | None = None,
        bus: Bus | None = None,
        failing: Callable[[], Mapping[str, str]] | None = None,
        checks: Mapping[str, Check] | None = None,
        does_without: Collection[str] = (),
    ) -> None:
        self._checks: dict[str, Check] = dict(checks or {})
        self._failing = failing
        self._does_without = frozenset(does_without)
        if database is not None:
            self._checks["database"] = lambda: _ask_database(database)
        if bus is not None:
            self._checks["log"] = lambda: _ask_log(bus)

    def add(self, name: str, check: Check) -> None:
        """Ask one more part."""
        self._checks[name] = check

    async def readiness(self) -> Readiness:
        """Ask every part at once."""
        names = list(self._checks)
        answers = await asyncio.gather(*(_ask(self._checks[name]) for name in names))
        parts = dict(zip(names, answers, strict=True))
        for name, reason in (self._failing() if self._failing else {}).items():
            parts[f"worker {name}"] = Part(state="failing", detail=reason)
        for name in self._does_without & parts.keys():
            if parts[name].state == "failing":
                parts[name] = parts[name].model_copy(update={"state": "waiting"})
        ready = all(part.state != "failing" for part in parts.values())
        return Readiness(ready=ready, parts=parts)


def router(health: Health) -> APIRouter:
    """Make `/health/live`, `/health/ready` and `/metrics`."""
    routes = APIRouter(tags=["operations"])

    @routes.get(
        "/health/live",
        responses={200: {"content": {"application/json": {"example": {"state": "ok"}}}}},
    )
    async def live() -> dict[str, Literal["ok"]]:
        """Answer as long as the process does."""
        return {"state": "ok"}

    @routes.get("/health/ready", responses={503: {"model": Readiness}})
    async def ready(response: Response) -> Readiness:
        """Tell whether the service can do its work; 503 names the part that cannot."""
        readiness = await health.readiness()
        if not readiness.ready:
            response.status_code = 503
        return readiness

    @routes.get("/metrics", response_class=Response)
    async def metrics() -> Response:
        """Give the figures in Prometheus' text form."""
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return routes


async def _ask(check: Check) -> Part:
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await check()
    except TimeoutError:
        return Part(state="failing", detail=f"no answer within {_PATIENCE_SECONDS:g} s")
    except RedressError as failure:
        return Part(state="failing", detail=failure.detail[:300])
    except Exception as failure:  # noqa: BLE001 - whatever a part says, readiness must go on to tell it
        return Part(state="failing", detail=f"{type(failure).__name__}: {failure}"[:300])
    return Part(state="ok")


async def _ask_database(database: Database) -> None:
    async with database.read() as connection:
        await connection.execute(text("SELECT 1"))


async def _ask_log(bus: Bus) -> None:
    await bus.end_positions(COMPLAINTS)
