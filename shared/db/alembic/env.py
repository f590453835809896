# ruff: noqa: INP001 - a folder that Alembic reads, no package
"""The one Alembic environment of all lines: connection and version table come from the caller."""

from __future__ import annotations

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table=context.config.attributes["version_table"],
    transactional_ddl=True,
)
context.run_migrations()
