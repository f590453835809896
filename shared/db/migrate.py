"""Schema changes: one Alembic line for the messaging tables, one per service.

A line is a folder of revisions named `0001_words.py`, `0002_…`; its version stands in a table of
its own, so that lines move independently in one database. Alembic costs 25 MB and half a second:
the serving process asks only `is_current`, which reads file names, and upgrades in a child process.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import Enum
from importlib.resources import files
from pathlib import Path

import orjson
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.db.database import Database
from shared.kernel.errors import RedressError

_ADVISORY_LOCK = 0x5EDE55


class MigrationFailed(RedressError):
    """The schema could not be brought up to date."""

    code = "migration-failed"
    title = "The database could not be brought up to date"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of revisions: its name and the package that holds `versions/`."""

    name: str
    package: str

    @property
    def folder(self) -> Path:
        """The folder of the revisions."""
        return Path(str(files(self.package))) / "migrations" / "versions"

    @property
    def version_table(self) -> str:
        """The table that holds the line's revision."""
        return f"alembic_version_{self.name}"

    @property
    def head(self) -> str:
        """The newest revision, by file name; raises FileNotFoundError for an empty line."""
        names = sorted(path.name for path in self.folder.glob("[0-9]*.py"))
        if not names:
            raise FileNotFoundError(f"{self.folder} has no revisions")
        return names[-1].partition("_")[0]


MESSAGING = Line("messaging", "shared.messaging")


def lines_of(service: str) -> tuple[Line, ...]:
    """Return the lines of one service's database, in the order in which they are applied."""
    return (MESSAGING, Line(service, f"services.{service}_service"))


class Standing(Enum):
    """How a database stands to this program."""

    EMPTY = "empty"
    BEHIND = "behind"
    CURRENT = "current"


async def standing_of(database: Database, lines: Sequence[Line]) -> Standing:
    """Return how a database stands; raises MigrationFailed where one of its lines is beyond us."""
    async with database.read() as connection:
        found = [await _revision(connection, line) for line in lines]
    for line, revision in zip(lines, found, strict=True):
        if revision is not None and revision > line.head:
            raise MigrationFailed(
                f"the database is at {line.name} {revision}, newer than this program ({line.head})"
            )
    if not any(found):
        return Standing.EMPTY
    return Standing.CURRENT if found == [line.head for line in lines] else Standing.BEHIND


async def is_current(database: Database, lines: Sequence[Line]) -> bool:
    """Tell whether every line stands at its head; raises MigrationFailed where one is beyond it."""
    return await standing_of(database, lines) is Standing.CURRENT


async def upgrade(database: Database, lines: Sequence[Line]) -> None:
    """Bring every line to its head, in one transaction under an advisory lock."""
    async with database.write() as connection:
        if database.dialect == "postgresql":
            await connection.execute(text(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})"))
        for line in lines:
            await connection.run_sync(_upgrade_line, line)


@asynccontextmanager
async def upgrader() -> AsyncIterator[Upgrader]:
    """Begin a process of its own for upgrades: Alembic never loads in this one.

    It loads what it needs and waits, while its caller finds out whether all else is right; left
    without a word, it ends and has touched nothing.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "shared.db.migrate"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    try:
        yield Upgrader(process)
    finally:
        process.stdin.close()
        await process.communicate()


class Upgrader:
    """A process that waits to be told what to upgrade."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def upgrade(self, urls: Mapping[str, str]) -> None:
        """Upgrade databases, URL by service; to be called once.

        Raises MigrationFailed naming the service whose database cannot be brought up to date.
        """
        # On standard input and not as arguments: a URL holds a password, and `ps` shows arguments.
        _out, errors = await self._process.communicate(orjson.dumps(dict(urls)))
        if self._process.returncode:
            lines = errors.decode(errors="replace").strip().splitlines()
            raise MigrationFailed(lines[-1] if lines else "the upgrade gave no reason")


async def _revision(connection: AsyncConnection, line: Line) -> str | None:
    def exists(sync: Connection) -> bool:
        return inspect(sync).has_table(line.version_table)

    if not await connection.run_sync(exists):
        return None
    found: str | None = await connection.scalar(
        text(f"SELECT version_num FROM {line.version_table}")  # noqa: S608 - our own table name
    )
    return found


def _upgrade_line(connection: Connection, line: Line) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(files("shared.db")) + "/alembic")
    config.set_main_option("path_separator", "os")
    config.set_main_option("version_locations", str(line.folder))
    config.attributes["connection"] = connection
    config.attributes["version_table"] = line.version_table
    command.upgrade(config, "head")


async def _upgrade_all(urls: Mapping[str, str]) -> None:
    for service, url in urls.items():
        database = Database.open(url, patient=True)
        try:
            await upgrade(database, lines_of(service))
        except (RedressError, SQLAlchemyError) as failure:
            raise MigrationFailed(f"{service}: {failure}") from failure
        finally:
            await database.close()


def _main() -> None:
    import alembic.command  # noqa: F401 - loaded while nobody has said yet what to upgrade

    said = sys.stdin.buffer.read()
    if said:
        asyncio.run(_upgrade_all(orjson.loads(said)))


if __name__ == "__main__":
    try:
        _main()
    except RedressError as refusal:
        sys.exit(refusal.detail)
