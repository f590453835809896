"""The rows of one group of new complaints, and what stands already of what they name."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Select, bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake_service.complaints.domain.new_complaint import SourceReference
from services.intake_service.complaints.models import complaints
from services.intake_service.complaints.repository.bulk import Row, Shape, write_rows
from services.intake_service.customers.models import (
    customer_identities,
    customers,
    merge_candidates,
)
from services.intake_service.customers.repository import among
from shared.http.idempotency import Answer, IdempotencyKey, KeyReused
from shared.kernel.errors import FieldError
from shared.messaging import OutboxRow, idempotency_keys, outbox

SourcePair = tuple[str, str]
KEY_COLUMNS = tuple(column.name for column in idempotency_keys.c)


class CustomerRow(NamedTuple):
    """A new customer."""

    id: str
    data_key: bytes
    details: bytes
    tier: str
    locale: str | None
    created_at: datetime
    updated_at: datetime


class CustomerChange(NamedTuple):
    """What was learnt about a customer who was known."""

    id: str
    details: bytes
    tier: str
    locale: str | None
    updated_at: datetime


class IdentityRow(NamedTuple):
    """By what a customer will be known again."""

    blind_index: bytes
    kind: str
    customer_id: str
    created_at: datetime


class CandidateRow(NamedTuple):
    """Two customers that may be one person."""

    customer_id: str
    other_id: str
    complaint_id: str
    created_at: datetime


class ComplaintRow(NamedTuple):
    """A complaint as stored at the beginning."""

    id: str
    number: str
    customer_id: str
    source_system: str | None
    source_id: str | None
    channel: str
    received_at: datetime
    occurred_at: datetime | None
    tier: str
    language: str
    locale: str
    category: str
    decided_by: str
    suggested_category: str
    severity: str
    urgency: str
    priority: str
    motive: str | None
    region: str | None
    h3: str | None
    product: str | None
    order_key: bytes | None
    contract_key: bytes | None
    demands: str
    imported: bool
    recorded: str | None
    repeat_of: str | None
    token_hash: bytes
    words: bytes
    sequence: int
    status: str
    created_at: datetime


_CUSTOMERS = Shape(customers, CustomerRow._fields)
_CHANGES = Shape(customers, CustomerChange._fields, updates=True)
_IDENTITIES = Shape(customer_identities, IdentityRow._fields)
_CANDIDATES = Shape(merge_candidates, CandidateRow._fields)
_COMPLAINTS = Shape(complaints, ComplaintRow._fields)
_EVENTS = Shape(outbox, OutboxRow._fields)
_KEYS = Shape(idempotency_keys, KEY_COLUMNS)


@dataclass(slots=True)
class GroupRows:
    """Everything that one group stores; it can be made in another process than it is written in."""

    customers: list[CustomerRow] = field(default_factory=list)
    changes: list[CustomerChange] = field(default_factory=list)
    identities: list[IdentityRow] = field(default_factory=list)
    candidates: list[CandidateRow] = field(default_factory=list)
    complaints: list[ComplaintRow] = field(default_factory=list)
    events: list[OutboxRow] = field(default_factory=list)
    keys: list[Row] = field(default_factory=list)

    def __getstate__(self) -> list[list[Row]]:
        """Travel as plain tuples, which are read back at a third of the cost of named ones."""
        return [list(map(tuple, getattr(self, name))) for name in self.__dataclass_fields__]

    def __setstate__(self, state: list[list[Row]]) -> None:
        """Take over what arrived; whoever writes it needs no names."""
        for name, rows in zip(self.__dataclass_fields__, state, strict=True):
            setattr(self, name, rows)


async def write_group(connection: AsyncConnection, rows: GroupRows) -> None:
    """Store a group in one go; raises GroupConflict where one of its rows stands already."""
    await write_rows(
        connection,
        [
            (_CUSTOMERS, rows.customers),
            (_CHANGES, rows.changes),
            (_IDENTITIES, rows.identities),
            (_CANDIDATES, rows.candidates),
            (_COMPLAINTS, rows.complaints),
            (_EVENTS, rows.events),
            (_KEYS, rows.keys),
        ],
    )


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An answer that was given under an Idempotency-Key."""

    fingerprint: str
    answer: Answer

    def answer_to(self, key: IdempotencyKey) -> Answer:
        """Return the answer; raises KeyReused where it was given to another request."""
        if self.fingerprint != key.fingerprint:
            detail = "The key came before with another body; take a new key for a new request."
            raise KeyReused(detail, (FieldError("/header/Idempotency-Key", "key_reused", detail),))
        return self.answer


async def find_answers(
    connection: AsyncConnection, keys: Collection[IdempotencyKey]
) -> dict[tuple[str, str], StoredAnswer]:
    """Return what was answered under these keys, by client and key, in one query."""
    if not keys:
        return {}
    rows = await connection.execute(
        _by_key(connection.dialect.name),
        {"clients": list({k.client for k in keys}), "keys": [k.key for k in keys]},
    )
    return {
        (row.client, row.key): StoredAnswer(
            row.fingerprint, Answer(row.status, bytes(row.body), row.headers or {})
        )
        for row in rows
    }


@cache
def _by_key(dialect: str) -> Select[Any]:
    return select(idempotency_keys).where(
        among(idempotency_keys.c.client, "clients", dialect=dialect),
        among(idempotency_keys.c.key, "keys", dialect=dialect),
    )


async def find_sources(
    connection: AsyncConnection, sources: Collection[SourceReference]
) -> dict[SourcePair, str]:
    """Return the complaints that stand under these sources: (system, id) → complaint id."""
    by_system: dict[str, list[str]] = {}
    for source in sources:
        by_system.setdefault(source.system, []).append(source.id)
    found: dict[SourcePair, str] = {}
    for system, ids in by_system.items():
        statement = _by_source(connection.dialect.name)
        rows = await connection.execute(statement, {"system": system, "ids": ids})
        found |= {(system, source_id): complaint_id for source_id, complaint_id in rows}
    return found


@cache
def _by_source(dialect: str) -> Select[Any]:
    return select(complaints.c.source_id, complaints.c.id).where(
        complaints.c.source_system == bindparam("system"),
        among(complaints.c.source_id, "ids", dialect=dialect),
    )
