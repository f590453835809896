"""The tables every service has beside its own: outbox, marks, dead letters, keys."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from shared.db.types import JsonDocument, UtcDateTime

metadata = MetaData()

# SQLite numbers rows by itself only where the type is exactly INTEGER.
RowNumber = BigInteger().with_variant(Integer, "sqlite")

SUBJECT_LENGTH = 64
"""The longest subject that is believed; our ids have 36 characters."""

# What an event is about is called `complaint_id` in all three tables, as it nearly always is one;
# of a signal it is the signal's own id (`EventData.subject`).

outbox = Table(
    "outbox",
    metadata,
    Column("id", RowNumber, autoincrement=True),
    Column("complaint_id", String(SUBJECT_LENGTH)),
    Column("sequence", Integer),
    Column("topic", String(100), nullable=False),
    Column("key", Text, nullable=False),
    Column("headers", Text, nullable=False),
    Column("value", LargeBinary, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("published_at", UtcDateTime),
    PrimaryKeyConstraint("id", name="pk_outbox"),
    UniqueConstraint("complaint_id", "sequence", name="uq_outbox_complaint_id_sequence"),
    Index(
        "ix_outbox_unpublished",
        "id",
        postgresql_where=text("published_at IS NULL"),
        sqlite_where=text("published_at IS NULL"),
    ),
    Index("ix_outbox_published_at", "published_at"),
    # Without AUTOINCREMENT SQLite would give a purged last row's id again; ids must only grow.
    sqlite_autoincrement=True,
)

# Who may mark rows as published: a relay that finds a newer epoch than its own stops.
relay_epochs = Table(
    "relay_epochs",
    metadata,
    Column("name", String(40), nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("taken_at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("name", name="pk_relay_epochs"),
)

# How far each subject's story was taken in, per source: everything up to `sequence` is seen.
sequence_marks = Table(
    "sequence_marks",
    metadata,
    Column("complaint_id", String(SUBJECT_LENGTH), nullable=False),
    Column("source", String(SUBJECT_LENGTH), nullable=False),
    Column("sequence", Integer, nullable=False),
    PrimaryKeyConstraint("complaint_id", "source", name="pk_sequence_marks"),
    sqlite_with_rowid=False,
)

# `parked` rows hold their subject back, in order of id; `dead` ones stand alone.
dead_letters = Table(
    "dead_letters",
    metadata,
    Column("id", RowNumber, autoincrement=True),
    Column("state", String(8), nullable=False),
    Column("reason", Text, nullable=False),
    Column("complaint_id", String(SUBJECT_LENGTH)),
    Column("source", String(SUBJECT_LENGTH)),
    Column("sequence", Integer),
    Column("type", Text),
    Column("topic", String(255), nullable=False),
    Column("partition", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("logged_at", UtcDateTime, nullable=False),
    Column("key", Text, nullable=False),
    Column("headers", Text, nullable=False),
    Column("value", LargeBinary, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("id", name="pk_dead_letters"),
    UniqueConstraint("topic", "partition", "offset", name="uq_dead_letters_position"),
    Index(
        "uq_dead_letters_parked",
        "complaint_id",
        "source",
        "sequence",
        unique=True,
        postgresql_where=text("state = 'parked'"),
        sqlite_where=text("state = 'parked'"),
    ),
    sqlite_autoincrement=True,
)

# The answers to creating requests, so that a repeated request gets the same one (rule 10).
idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("client", String(200), nullable=False),
    Column("key", String(255), nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("status", Integer, nullable=False),
    Column("headers", JsonDocument, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("client", "key", name="pk_idempotency_keys"),
    Index("ix_idempotency_keys_created_at", "created_at"),
)
