"""Timers and policy versions: what time is kept by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.workflow_service.clocks.domain.by_priority import (
    PolicyByPriority,
    is_by_priority,
)
from services.workflow_service.clocks.domain.pack import Pack
from services.workflow_service.clocks.domain.policy import Policy
from services.workflow_service.clocks.models import policies, timers
from shared.db.bulk import insert_rows, upsert_rows
from shared.kernel.errors import ConfigurationError, FieldError
from shared.kernel.yaml_documents import InvalidDocument, read_yaml

POLICY_SETTING = "REDRESS_POLICY_FILE"


async def next_due(connection: AsyncConnection) -> datetime | None:
    """Return when the next timer is or was due: one look at the end of an index."""
    found: datetime | None = await connection.scalar(select(func.min(timers.c.due_at)))
    return found


async def due_timers(
    connection: AsyncConnection, now: datetime, *, limit: int
) -> Sequence[tuple[str, datetime]]:
    """Return complaint and due time of what is due, oldest first, without locking anything."""
    statement = (
        select(timers.c.complaint_id, timers.c.due_at)
        .where(timers.c.due_at <= now)
        .order_by(timers.c.due_at, timers.c.complaint_id)
        .limit(limit)
    )
    return [(row.complaint_id, row.due_at) for row in await connection.execute(statement)]


async def set_timers(
    connection: AsyncConnection, points: Sequence[tuple[str, datetime | None]]
) -> None:
    """Move each case's timer to its next point, or delete it where there is none.

    The caller holds the locks of the cases: nobody else writes these timers.
    """
    await upsert_rows(connection, timers, [point for point in points if point[1] is not None])
    gone = [case for case, at in points if at is None]
    if gone:
        await connection.execute(delete(timers).where(timers.c.complaint_id.in_(gone)))


async def postpone_timer(
    connection: AsyncConnection, complaint_id: str, *, seen: datetime, until: datetime
) -> None:
    """Try a timer again later, if it still is where it was seen.

    The case's clocks keep the time at which it was really due.
    """
    await connection.execute(
        update(timers)
        .where(timers.c.complaint_id == complaint_id, timers.c.due_at == seen)
        .values(due_at=until)
    )


def read_policy(path: Path | None) -> tuple[Policy, str]:
    """Read the policy file, or the default; raises ConfigurationError with line and reason."""
    document, name = _read(path, "policy.yaml", POLICY_SETTING)
    try:
        return read_policy_text(document, name=name), document
    except InvalidDocument as wrong:
        raise ConfigurationError(POLICY_SETTING, wrong.detail) from None


def read_policy_text(document: str, *, name: str) -> Policy:
    """Read a policy; raises InvalidDocument with line and reason.

    One that is written by priorities, as the first ones were, is read as the rules that say the
    same: cases opened under it keep their targets.
    """
    if is_by_priority(document):
        return read_yaml(document, PolicyByPriority, name=name).as_rules()
    policy = read_yaml(document, Policy, name=name)
    known = {pack.name for pack in read_packs().values()}
    for place, use in enumerate(policy.packs):
        if use.name not in known:
            listed = ", ".join(sorted(known))
            raise _wrong(
                name, f"/packs/{place}", f"there is no pack {use.name!r}; there are: {listed}"
            )
    return policy


def _wrong(name: str, pointer: str, detail: str) -> InvalidDocument:
    error = FieldError(pointer, "unknown", detail)
    return InvalidDocument(f"{name}: {pointer.strip('/').replace('/', '.')}: {detail}", [error])


PRODUCT = "product"
"""Who loaded the policy that comes with the product."""


class StoredPolicy(NamedTuple):
    """A policy version as it was loaded, by whom and when."""

    policy: Policy
    document: str
    loaded_at: datetime
    by: str


async def load_policies(connection: AsyncConnection) -> Sequence[StoredPolicy]:
    """Return every policy version, the one loaded last at the end."""
    statement = select(policies).order_by(policies.c.loaded_at, policies.c.label)
    return [
        StoredPolicy(
            read_policy_text(row["document"], name=row["label"]),
            row["document"],
            row["loaded_at"],
            row["by"],
        )
        for row in (await connection.execute(statement)).mappings()
    ]


async def count_policies(connection: AsyncConnection) -> int:
    """Return how many versions there are: another number means that one was loaded."""
    return await connection.scalar(select(func.count()).select_from(policies)) or 0


async def lock_policies(connection: AsyncConnection) -> None:
    """Let nobody else load a policy until the transaction ends; SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        await connection.execute(text("LOCK TABLE policies IN SHARE ROW EXCLUSIVE MODE"))


async def add_policy(connection: AsyncConnection, stored: StoredPolicy) -> None:
    """Store a policy version; the caller holds the lock and knows that the label is free."""
    row = (stored.policy.label, stored.document, stored.loaded_at, stored.by)
    await insert_rows(connection, policies, [row])


@cache
def read_packs() -> Mapping[str, Pack]:
    """Return the regulatory packs that come with the product, in all versions, by label."""
    folder = files("services.workflow_service.clocks") / "packs"
    found = {}
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        pack = read_yaml(file.read_text(encoding="utf-8"), Pack, name=file.name)
        found[pack.label] = pack
    return found


def _read(path: Path | None, default: str, setting: str) -> tuple[str, str]:
    if path is None:
        inside = files("services.workflow_service.clocks") / default
        return inside.read_text(encoding="utf-8"), default
    try:
        return path.read_text(encoding="utf-8"), path.name
    except (OSError, UnicodeDecodeError) as failure:
        raise ConfigurationError(setting, f"{path} cannot be read: {failure}") from None
