"""Tables of imports. A rejected row can hold personal data: it stands under its import's key."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
)

from services.intake_service.models import metadata
from shared.db.types import JsonDocument, UtcDateTime

imports = Table(
    "imports",
    metadata,
    Column("id", String(36), nullable=False),
    Column("mapping", String(100), nullable=False),
    Column("state", String(16), nullable=False),
    # Which process reads the stream: its next start finds what it left unfinished.
    Column("replica", String(100), nullable=False),
    Column("rows_read", Integer, nullable=False),
    Column("accepted", Integer, nullable=False),
    Column("existing", Integer, nullable=False),
    Column("rejected", Integer, nullable=False),
    Column("warnings", JsonDocument, nullable=False),
    Column("failure", Text),
    Column("data_key", LargeBinary, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    PrimaryKeyConstraint("id", name="pk_imports"),
    Index("ix_imports_started_at", "started_at", "id"),
)

rejects = Table(
    "import_rejects",
    metadata,
    Column("import_id", String(36), nullable=False),
    Column("line", Integer, nullable=False),
    Column("reason", String(40), nullable=False),
    # Detail and row as they were read.
    Column("words", LargeBinary, nullable=False),
    PrimaryKeyConstraint("import_id", "line", name="pk_import_rejects"),
    ForeignKeyConstraint(["import_id"], ["imports.id"], name="fk_import_rejects_import_id"),
)

mappings = Table(
    "import_mappings",
    metadata,
    Column("name", String(100), nullable=False),
    Column("document", Text, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("name", name="pk_import_mappings"),
)
