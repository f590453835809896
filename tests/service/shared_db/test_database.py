"""Databases: one code on SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa

from shared.db.database import Database
from shared.db.types import JsonDocument, UtcDateTime
from shared.kernel.errors import ConfigurationError, Unavailable

METADATA = sa.MetaData()
NOTES = sa.Table(
    "notes",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", UtcDateTime),
    sa.Column("body", JsonDocument),
)


async def make_notes(database: Database) -> None:
    async with database.write() as connection:
        await connection.run_sync(METADATA.create_all)


async def test_instants_and_documents_come_back_as_they_went_in(database_url: str) -> None:
    database = Database.open(database_url)
    await make_notes(database)
    at = datetime(2026, 11, 18, 18, 30, 0, 123456, tzinfo=timezone(timedelta(hours=8)))

    async with database.write() as connection:
        await connection.execute(NOTES.insert(), [{"id": 1, "at": at, "body": {"话": [1, None]}}])
    async with database.read() as connection:
        row = (await connection.execute(sa.select(NOTES))).one()
    await database.close()

    assert row.at == at
    assert row.at.utcoffset() == timedelta(0)
    assert row.body == {"话": [1, None]}


async def test_instants_sort_as_time_does(database_url: str) -> None:
    database = Database.open(database_url)
    await make_notes(database)
    start = datetime(1999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
    rows = [{"id": n, "at": start + n * timedelta(microseconds=1)} for n in (3, 1, 2)]

    async with database.write() as connection:
        await connection.execute(NOTES.insert(), rows)
    async with database.read() as connection:
        query = sa.select(NOTES.c.id).where(NOTES.c.at > rows[1]["at"]).order_by(NOTES.c.at)
        found = (await connection.scalars(query)).all()
    await database.close()

    assert found == [2, 3]


async def test_a_failed_transaction_leaves_nothing(database_url: str) -> None:
    database = Database.open(database_url)
    await make_notes(database)

    async def fail_half_way() -> None:
        async with database.write() as connection:
            await connection.execute(NOTES.insert(), [{"id": 1}])
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError):
        await fail_half_way()
    async with database.read() as connection:
        count = await connection.scalar(sa.select(sa.func.count()).select_from(NOTES))
    await database.close()

    assert count == 0


async def test_writers_take_turns_and_lose_nothing(database_url: str) -> None:
    database = Database.open(database_url)
    await make_notes(database)

    async def write(number: int) -> None:
        async with database.write() as connection:
            await connection.execute(NOTES.insert(), [{"id": number}])

    await asyncio.gather(*(write(number) for number in range(60)))
    async with database.read() as connection:
        count = await connection.scalar(sa.select(sa.func.count()).select_from(NOTES))
    await database.close()

    assert count == 60


async def test_a_reader_of_sqlite_cannot_write(sqlite_url: str) -> None:
    database = Database.open(sqlite_url)
    await make_notes(database)

    with pytest.raises(Unavailable, match="readonly"):
        async with database.read() as connection:
            await connection.execute(NOTES.insert(), [{"id": 1}])
    await database.close()


async def test_a_full_disk_says_so_and_stores_nothing(sqlite_url: str) -> None:
    database = Database.open(sqlite_url)
    await make_notes(database)
    async with database.write() as connection:
        pages = await connection.scalar(sa.text("PRAGMA page_count"))
        await connection.execute(sa.text(f"PRAGMA max_page_count={pages + 2}"))

    with pytest.raises(Unavailable, match="disk is full"):
        async with database.write() as connection:
            await connection.execute(NOTES.insert(), [{"id": 1, "body": "x" * 100_000}])
    async with database.read() as connection:
        count = await connection.scalar(sa.select(sa.func.count()).select_from(NOTES))
    await database.close()

    assert count == 0


async def test_a_server_that_is_away_is_unavailable() -> None:
    database = Database.open("postgresql://nobody@127.0.0.1:1/none")

    with pytest.raises(Unavailable):
        async with database.read() as connection:
            await connection.execute(sa.text("SELECT 1"))
    await database.close()


@pytest.mark.parametrize("url", ["nonsense", "mysql://h/d", "sqlite://", "sqlite:///:memory:"])
def test_a_wrong_url_names_its_setting(url: str) -> None:
    with pytest.raises(ConfigurationError, match="REDRESS_X"):
        Database.open(url, setting="REDRESS_X")


def test_the_folder_of_a_sqlite_file_is_made(tmp_path: Path) -> None:
    Database.open(f"sqlite:///{tmp_path}/new/folder/file.db")

    assert (tmp_path / "new/folder").is_dir()
