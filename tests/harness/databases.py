"""Databases for tests: fresh ones, empty or migrated, on SQLite and PostgreSQL.

`database_url` and `migrated_url` run a test once per dialect; the others name theirs.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from deploy.local.postgres import PostgresServer, start_postgres, stop_postgres
from deploy.local.processes import CannotStart
from tests.harness.requirements import cannot_have
from tests.harness.sql import run_sql, wait_for

MakeUrl = Callable[[], str]
MakeMigratedUrl = Callable[[str], str]


class PostgresServerForTests:
    """Makes databases on one server, from templates that are migrated once."""

    def __init__(self, admin_url: str, *, local: PostgresServer | None = None) -> None:
        self.admin_url = admin_url
        self.local = local
        self.made: list[str] = []
        self._templates: dict[str, str] = {}

    def create(self, template: str = "template0") -> str:
        """Make a database and return its URL."""
        name = f"test_{secrets.token_hex(6)}"
        run_sql(self.admin_url, f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        self.made.append(name)
        return self._url(name)

    def create_migrated(self, service: str) -> str:
        """Make a database with the tables of one service."""
        if service not in self._templates:
            url = self.create()
            self._templates[service] = self.made.pop()
            migrate(url, service)
        return self.create(self._templates[service])

    def drop(self, names: list[str]) -> None:
        """Drop databases, whoever is still connected."""
        for name in names:
            run_sql(self.admin_url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def drop_templates(self) -> None:
        """Drop what was kept for the session; matters on a server that lives on."""
        self.drop(list(self._templates.values()))

    def _url(self, name: str) -> str:
        return urlunsplit(urlsplit(self.admin_url)._replace(path=f"/{name}"))


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServerForTests]:
    """The server of this session: `REDRESS_TEST_POSTGRES_URL`, else one started for it."""
    given = os.environ.get("REDRESS_TEST_POSTGRES_URL")
    if given:
        yield from _given_server(given)
        return
    folder = tmp_path_factory.mktemp("postgres")
    try:
        started = start_postgres(folder, durable=False, with_parent=True)
    except CannotStart as failure:
        cannot_have("POSTGRES", str(failure))
    yield PostgresServerForTests(started.url(), local=started)
    stop_postgres(folder)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_urls(postgres_server: PostgresServerForTests) -> Iterator[MakeUrl]:
    """Make any number of fresh, empty PostgreSQL databases."""
    yield postgres_server.create
    _drop_made(postgres_server)


@pytest.fixture
def postgres_url(postgres_urls: MakeUrl) -> str:
    """A fresh, empty PostgreSQL database."""
    return postgres_urls()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A fresh SQLite file that does not exist yet."""
    return f"sqlite:///{tmp_path / 'test.db'}"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def dialect(request: pytest.FixtureRequest) -> str:
    """Each dialect in turn."""
    name: str = request.param
    return name


@pytest.fixture
def database_url(dialect: str, request: pytest.FixtureRequest) -> str:
    """A fresh, empty database, once on each dialect."""
    fixture = "sqlite_url" if dialect == "sqlite" else "postgres_url"
    url: str = request.getfixturevalue(fixture)
    return url


@pytest.fixture(scope="session")
def sqlite_templates(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Migrated SQLite files, one per service, made once a session."""
    folder = tmp_path_factory.mktemp("sqlite-templates")

    def template(service: str) -> Path:
        path = folder / f"{service}.db"
        if not path.exists():
            migrate(f"sqlite:///{path}", service)
        return path

    return template


@pytest.fixture
def migrated_sqlite_url(tmp_path: Path, sqlite_templates: Callable[[str], Path]) -> MakeMigratedUrl:
    """Make a SQLite database with one service's tables: `migrated_sqlite_url("workflow")`."""

    def make(service: str) -> str:
        path = tmp_path / f"{service}-{secrets.token_hex(3)}.db"
        shutil.copyfile(sqlite_templates(service), path)
        return f"sqlite:///{path}"

    return make


@pytest.fixture
def migrated_postgres_url(postgres_server: PostgresServerForTests) -> Iterator[MakeMigratedUrl]:
    """Make a PostgreSQL database with one service's tables."""
    yield postgres_server.create_migrated
    _drop_made(postgres_server)


@pytest.fixture
def migrated_url(dialect: str, request: pytest.FixtureRequest) -> MakeMigratedUrl:
    """Make a database with one service's tables, once on each dialect."""
    make: MakeMigratedUrl = request.getfixturevalue(
        "migrated_sqlite_url" if dialect == "sqlite" else "migrated_postgres_url"
    )
    return make


def migrate(url: str, service: str) -> None:
    """Bring a database to the newest schema of one service."""
    # Loaded here, so that tests without tables do not pay for it.
    from shared.db.database import Database
    from shared.db.migrate import lines_of, upgrade

    async def work() -> None:
        database = Database.open(url)
        try:
            await upgrade(database, lines_of(service))
        finally:
            await database.close()

    wait_for(work())


def _given_server(url: str) -> Iterator[PostgresServerForTests]:
    try:
        run_sql(url, "SELECT 1")
    except (OSError, asyncpg.PostgresError) as failure:
        cannot_have("POSTGRES", f"REDRESS_TEST_POSTGRES_URL does not answer: {failure}")
    server = PostgresServerForTests(url)
    yield server
    server.drop_templates()


def _drop_made(server: PostgresServerForTests) -> None:
    names = list(server.made)
    server.made.clear()
    server.drop(names)
