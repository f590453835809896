"""A closed-loop HTTP load from a process of its own: as many connections as asked, kept alive.

Run as `python -m benchmarks.load`; reads one JSON job on standard input, prints one JSON result.
Bare asyncio protocols instead of httpx: httpx tops out at 1,000 requests a second a core and would
measure itself.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass
from typing import cast

import uvloop


@dataclass(frozen=True, slots=True)
class Job:
    """What to send: bodies in turn to one path, for some seconds after a warm-up."""

    host: str
    port: int
    path: str
    bodies: list[str]
    connections: int
    seconds: float
    warm_up_seconds: float = 1.0
    rate: float | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """Answers a second and their times in milliseconds; every answer that was not 2xx counted.

    `begun` has the wall-clock time at which the n-th request was due, where a rate was asked for.
    """

    per_second: float
    p50_ms: float
    p99_ms: float
    answers: int
    failures: int
    begun: list[float]


class _Connection(asyncio.Protocol):
    """One kept-alive connection: sends a request, waits for its answer, sends the next."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._waiting: asyncio.Future[int] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports do not derive from asyncio's.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self._buffer[:end]).lower()
        start = head.find(b"content-length:")
        length = int(head[start + 15 :].split(b"\r\n", 1)[0]) if start >= 0 else 0
        if len(self._buffer) >= end + 4 + length:
            status = int(self._buffer[9:12])
            del self._buffer[: end + 4 + length]
            if self._waiting and not self._waiting.done():
                self._waiting.set_result(status)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiting and not self._waiting.done():
            self._waiting.set_exception(exc or ConnectionResetError("closed by the server"))

    async def send(self, request: bytes) -> int:
        assert self._transport is not None
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._waiting


class _Run:
    """Shared by all connections of one run: whose turn it is, and what was measured."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.requests = [_request(job, body) for body in job.bodies]
        self.sent = 0
        self.times: list[float] = []
        self.begun: list[float] = []
        self.failures = 0
        self.begin = time.perf_counter() + job.warm_up_seconds
        self.end = self.begin + job.seconds

    def next_request(self) -> bytes:
        request = self.requests[self.sent % len(self.requests)]
        self.sent += 1
        return request

    async def work(self) -> None:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(_Connection, self.job.host, self.job.port)
        while (started := time.perf_counter()) < self.end:
            await self._one(connection, started, self.next_request())

    async def paced(self) -> None:
        """Open loop: requests start at fixed times, however slow the answers are."""
        assert self.job.rate is not None
        loop = asyncio.get_running_loop()
        idle: asyncio.Queue[_Connection] = asyncio.Queue()
        for _ in range(self.job.connections):
            _, made = await loop.create_connection(_Connection, self.job.host, self.job.port)
            idle.put_nowait(made)
        tasks = set()
        due = time.perf_counter()
        while due < self.end:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            self.begun.append(time.time() - (time.perf_counter() - due))
            task = asyncio.create_task(self._borrowing(idle, due, self.next_request()))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            due += 1 / self.job.rate
        await asyncio.gather(*tasks)

    async def _borrowing(
        self, idle: asyncio.Queue[_Connection], due: float, request: bytes
    ) -> None:
        connection = await idle.get()
        await self._one(connection, due, request)
        idle.put_nowait(connection)

    async def _one(self, connection: _Connection, started: float, request: bytes) -> None:
        status = await connection.send(request)
        now = time.perf_counter()
        if started >= self.begin:
            self.times.append(now - started)
            self.failures += not 200 <= status < 300


def _request(job: Job, body: str) -> bytes:
    data = body.encode()
    head = (
        f"POST {job.path} HTTP/1.1\r\nHost: {job.host}:{job.port}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
    )
    return head.encode() + data


async def run(job: Job) -> Result:
    """Send the load; raises ConnectionError where the server goes away."""
    state = _Run(job)
    if job.rate is None:
        await asyncio.gather(*(state.work() for _ in range(job.connections)))
    else:
        await state.paced()
    times = sorted(state.times)
    return Result(
        per_second=round(len(times) / job.seconds, 1),
        p50_ms=round(times[len(times) // 2] * 1000, 2),
        p99_ms=round(times[int(len(times) * 0.99)] * 1000, 2),
        answers=len(times),
        failures=state.failures,
        begun=state.begun,
    )


if __name__ == "__main__":
    result = uvloop.run(run(Job(**json.load(sys.stdin))))
    print(json.dumps(asdict(result)))
