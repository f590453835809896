"""Words spoken in handling, each encrypted under its complaint's own key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import RowMapping, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.workflow_service.cases.domain.case import Words
from services.workflow_service.cases.models import word_keys, words
from shared.db.bulk import insert_rows
from shared.kernel.vault import DataKey, Vault


@dataclass(frozen=True, slots=True)
class Spoken:
    """Words as they were said. `options` are those of a proposal: key, kind, text, amount."""

    id: str
    complaint_id: str
    kind: str
    text: str | None
    options: Sequence[Mapping[str, Any]]


async def insert_words(
    connection: AsyncConnection, vault: Vault, complaint_id: str, spoken: Sequence[Words]
) -> None:
    """Store words; the caller holds the case's lock, so that a first key is made once."""
    if not spoken:
        return
    key = await _key(connection, vault, complaint_id)
    rows = [
        (w.id, complaint_id, w.kind, w.by, w.at, key.encrypt(_plain(w), context=w.id))
        for w in spoken
    ]
    await insert_rows(connection, words, rows)


async def read_words(connection: AsyncConnection, vault: Vault, ids: Iterable[str]) -> list[Spoken]:
    """Return the words with these ids that exist and whose key does."""
    statement = (
        select(words, word_keys.c.wrapped)
        .join(word_keys, word_keys.c.complaint_id == words.c.complaint_id)
        .where(words.c.id.in_(list(ids)))
        .order_by(words.c.id)
    )
    return [_spoken(row, vault) for row in (await connection.execute(statement)).mappings()]


async def _key(connection: AsyncConnection, vault: Vault, complaint_id: str) -> DataKey:
    found: bytes | None = await connection.scalar(
        select(word_keys.c.wrapped).where(word_keys.c.complaint_id == complaint_id)
    )
    if found is not None:
        return vault.open_data_key(bytes(found))
    key = vault.new_data_key()
    await insert_rows(connection, word_keys, [(complaint_id, key.wrapped)])
    return key


def _plain(spoken: Words) -> str:
    return orjson.dumps({"text": spoken.text, "options": list(spoken.details)}).decode()


def _spoken(row: RowMapping, vault: Vault) -> Spoken:
    key = vault.open_data_key(bytes(row["wrapped"]))
    plain = orjson.loads(key.decrypt(bytes(row["ciphertext"]), context=row["id"]))
    return Spoken(row["id"], row["complaint_id"], row["kind"], plain["text"], plain["options"])
