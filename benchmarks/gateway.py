"""An SMS gateway of the benchmark's own: takes every message and notes when it came.

`python -m benchmarks.gateway PORT FILE` appends a line `TIME TO` for each.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Request, Response


def make_app(notes: Path) -> FastAPI:
    """Build the app."""
    app = FastAPI()
    file = notes.open("a", buffering=1, encoding="utf-8")

    @app.post("/sms")
    async def take(request: Request) -> Response:
        now = time.time()
        message = await request.json()
        file.write(f"{now} {message['to']}\n")
        return Response(status_code=202)

    return app


if __name__ == "__main__":
    uvicorn.run(
        make_app(Path(sys.argv[2])), port=int(sys.argv[1]), log_level="warning", access_log=False
    )
