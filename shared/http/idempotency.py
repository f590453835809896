"""`Idempotency-Key`: the same request again gets the first answer again.

The answer is stored in the transaction that does the work, scoped to the client. That a first one
is still running is known in this process; across processes the unique key decides, and whoever
loses reads the winner's answer.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Annotated, Protocol

from fastapi import Depends, Header, Request, Response
from sqlalchemy import delete, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.db.database import Database
from shared.http.auth import authenticate
from shared.kernel.errors import Conflict, FieldError, InvalidInput, PreconditionFailed
from shared.messaging import UnitOfWork
from shared.messaging.tables import idempotency_keys

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
KEPT_FOR = timedelta(hours=25)
"""A little over the 24 hours promised, so that a clock that is off breaks no promise."""

_MAX_LENGTH = 255
_PURGE_BATCH = 500
_KEPT_HEADERS = frozenset({"location", "etag", "content-type", "link"})


class KeyReused(InvalidInput):
    """The key came before with another body."""

    code = "idempotency-key-reused"
    title = "This Idempotency-Key was used for another request"


class KeyInUse(Conflict):
    """The first request with this key has not been answered yet."""

    code = "idempotency-key-in-use"
    title = "The first request with this Idempotency-Key is still running"


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A client's key with the fingerprint of what it was sent with."""

    client: str
    key: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that can be stored and given again."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    def to_response(self, *, replayed: bool = False) -> Response:
        """Make the response; a replayed one says so."""
        headers = {"Content-Type": "application/json", **self.headers}
        if replayed:
            headers[REPLAYED] = "true"
        return Response(self.body, self.status, headers=headers)


def _declared(
    idempotency_key: Annotated[
        str | None,
        Header(description="Sent again with the same key, a request gets the first answer again."),
    ] = None,
) -> None:
    """Stand in the document; what the header says is read by `answer_once`."""


TAKES_KEY = Depends(_declared)
"""For the `dependencies` of a route that answers by `answer_once`: its document says so."""


async def read_key(request: Request) -> IdempotencyKey | None:
    """Read the key of a request, None where it has none; raises InvalidInput for an odd one."""
    key = request.headers.get(HEADER)
    if key is None:
        return None
    if not (0 < len(key) <= _MAX_LENGTH and key.isascii() and key.isprintable()):
        detail = f"The key must be 1 to {_MAX_LENGTH} printable ASCII characters."
        raise InvalidInput(detail, (FieldError("/header/Idempotency-Key", "invalid_key", detail),))
    what = f"{request.method} {request.url.path}\n".encode()
    fingerprint = hashlib.sha256(what + await request.body()).hexdigest()
    return IdempotencyKey(authenticate(request).id, key, fingerprint)


def idempotency_row(key: IdempotencyKey, answer: Answer, created_at: datetime) -> dict[str, object]:
    """Build the row of `idempotency_keys`, for a caller that writes it by its own statement."""
    headers = {n: v for n, v in answer.headers.items() if n.lower() in _KEPT_HEADERS}
    return {
        "client": key.client,
        "key": key.key,
        "fingerprint": key.fingerprint,
        "status": answer.status,
        "headers": headers,
        "body": answer.body,
        "created_at": created_at,
    }


async def find_answer(connection: AsyncConnection, key: IdempotencyKey) -> Answer | None:
    """Return the answer stored under a key; raises KeyReused where it was for another request."""
    table = idempotency_keys
    found = (
        await connection.execute(
            select(table.c.fingerprint, table.c.status, table.c.headers, table.c.body).where(
                table.c.client == key.client, table.c.key == key.key
            )
        )
    ).one_or_none()
    if found is None:
        return None
    if found.fingerprint != key.fingerprint:
        detail = "The key came before with another body; take a new key for a new request."
        raise KeyReused(detail, (FieldError("/header/Idempotency-Key", "key_reused", detail),))
    body = found.body if isinstance(found.body, bytes) else bytes(found.body)
    return Answer(found.status, body, found.headers or {})


async def store_answer(
    connection: AsyncConnection, key: IdempotencyKey, answer: Answer, created_at: datetime
) -> None:
    """Store an answer within the caller's transaction."""
    await connection.execute(
        insert(idempotency_keys).values(idempotency_row(key, answer, created_at))
    )


class Running:
    """The keys whose first request this process is answering now."""

    def __init__(self) -> None:
        self._keys: set[tuple[str, str]] = set()

    @asynccontextmanager
    async def claim(self, key: IdempotencyKey) -> AsyncIterator[None]:
        """Hold a key while its request is answered; raises KeyInUse where another holds it."""
        name = (key.client, key.key)
        if name in self._keys:
            raise KeyInUse("Wait for the first answer, then send the request again.")
        self._keys.add(name)
        try:
            yield
        finally:
            self._keys.discard(name)


_RUNNING = Running()

OpenUnitOfWork = Callable[[], AbstractAsyncContextManager[UnitOfWork]]
Act = Callable[[UnitOfWork], Awaitable[Answer]]


class Seal(Protocol):
    """Encrypts answers that hold a secret, so that it does not lie open in the database."""

    def close(self, body: bytes, context: str) -> bytes:
        """Encrypt an answer's body."""
        ...

    def open(self, sealed: bytes, context: str) -> bytes:
        """Decrypt what `close` made with the same context."""
        ...


async def answer_once(
    request: Request, unit_of_work: OpenUnitOfWork, act: Act, seal: Seal | None = None
) -> Response:
    """Do a creating POST once per key: `act` runs in one unit of work with the stored answer.

    Answers are stored under `seal` where there is one. Raises KeyReused, KeyInUse and whatever
    `act` raises; a request that fails stores nothing.
    """
    key = await read_key(request)
    if key is None:
        async with unit_of_work() as uow:
            answer = await act(uow)
        return answer.to_response()
    async with _RUNNING.claim(key):
        try:
            return await _act_or_replay(key, unit_of_work, act, seal)
        except (IntegrityError, Conflict, PreconditionFailed):
            # Another process may have been first: then the row is there twice, or the first left
            # nothing to be done. If there was none, the error is the caller's own.
            async with unit_of_work() as uow:
                stored = await find_answer(uow.connection, key)
            if stored is None:
                raise
            return _opened(stored, key, seal).to_response(replayed=True)


async def answer_repeatable(
    request: Request, unit_of_work: OpenUnitOfWork, act: Callable[[], Awaitable[Answer]]
) -> Response:
    """Do a POST once per key whose work takes transactions of its own, and may be done again.

    The answer is stored after the work: a request that was cut off before is done again from its
    beginning when it comes again. Raises as `answer_once` does.
    """
    key = await read_key(request)
    if key is None:
        return (await act()).to_response()
    async with _RUNNING.claim(key):
        async with unit_of_work() as uow:
            stored = await find_answer(uow.connection, key)
        if stored is not None:
            return stored.to_response(replayed=True)
        answer = await act()
        # Of two processes that do the same at once one stores it; both have done it.
        with contextlib.suppress(IntegrityError):
            async with unit_of_work() as uow:
                await store_answer(uow.connection, key, answer, uow.now)
    return answer.to_response()


async def _act_or_replay(
    key: IdempotencyKey, unit_of_work: OpenUnitOfWork, act: Act, seal: Seal | None
) -> Response:
    async with unit_of_work() as uow:
        stored = await find_answer(uow.connection, key)
        if stored is not None:
            return _opened(stored, key, seal).to_response(replayed=True)
        answer = await act(uow)
        kept = answer
        if seal is not None:
            kept = replace(answer, body=seal.close(answer.body, _context(key)))
        await store_answer(uow.connection, key, kept, uow.now)
    return answer.to_response()


def _opened(stored: Answer, key: IdempotencyKey, seal: Seal | None) -> Answer:
    return stored if seal is None else replace(stored, body=seal.open(stored.body, _context(key)))


def _context(key: IdempotencyKey) -> str:
    return f"answer:{key.client}:{key.key}"


async def purge(database: Database, now: datetime) -> int:
    """Delete keys that are older than promised, in small batches; return how many went."""
    table = idempotency_keys
    gone = 0
    while True:
        async with database.write() as connection:
            old = (
                select(table.c.client, table.c.key)
                .where(table.c.created_at < now - KEPT_FOR)
                .limit(_PURGE_BATCH)
            )
            rows = (await connection.execute(old)).all()
            for client, key in rows:
                await connection.execute(
                    delete(table).where(table.c.client == client, table.c.key == key)
                )
        gone += len(rows)
        if len(rows) < _PURGE_BATCH:
            return gone
