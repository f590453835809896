"""The reference: a bare FastAPI route with one asyncpg INSERT per request, nothing else.

What a POST costs at the very least in this stack; `python -m benchmarks.reference PORT`, the
database's address on standard input.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel


class Complaint(BaseModel):
    """The same body as ours, checked as loosely as a quick start would."""

    channel: str
    description: str
    customer: dict[str, Any]
    references: dict[str, Any] = {}
    place: dict[str, Any] = {}
    demands: list[str] = []
    category: str | None = None


def make_app(database_url: str) -> FastAPI:
    """Build the app; its table is made at the start."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.pool = await asyncpg.create_pool(database_url, min_size=10, max_size=20)
        await app.state.pool.execute(
            "CREATE TABLE IF NOT EXISTS reference (id bigserial PRIMARY KEY, body text NOT NULL)"
        )
        yield
        await app.state.pool.close()

    app = FastAPI(lifespan=lifespan)

    @app.post("/v1/complaints", status_code=201)
    async def receive(complaint: Complaint) -> dict[str, int]:
        row = await app.state.pool.fetchval(
            "INSERT INTO reference (body) VALUES ($1) RETURNING id", complaint.model_dump_json()
        )
        return {"id": row}

    return app


if __name__ == "__main__":
    application = make_app(sys.stdin.read().strip())
    uvicorn.run(application, port=int(sys.argv[1]), log_level="warning", access_log=False)
