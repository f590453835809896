"""Outbox, relay epochs, sequence marks, dead letters and idempotency keys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.db.types import JsonDocument, UtcDateTime

revision = "0001"
down_revision = None

ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Apply."""
    _make_outbox()
    _make_marks()
    _make_dead_letters()
    _make_idempotency_keys()


def _make_outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", ROW_NUMBER, autoincrement=True),
        sa.Column("complaint_id", sa.String(64)),
        sa.Column("sequence", sa.Integer),
        sa.Column("topic", sa.String(100), nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("headers", sa.Text, nullable=False),
        sa.Column("value", sa.LargeBinary, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("published_at", UtcDateTime),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sa.UniqueConstraint("complaint_id", "sequence", name="uq_outbox_complaint_id_sequence"),
        sqlite_autoincrement=True,
    )
    unpublished = sa.text("published_at IS NULL")
    op.create_index(
        "ix_outbox_unpublished",
        "outbox",
        ["id"],
        postgresql_where=unpublished,
        sqlite_where=unpublished,
    )
    op.create_index("ix_outbox_published_at", "outbox", ["published_at"])
    op.create_table(
        "relay_epochs",
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("taken_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_relay_epochs"),
    )


def _make_marks() -> None:
    op.create_table(
        "sequence_marks",
        sa.Column("complaint_id", sa.String(64), nullable=False),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("complaint_id", "source", name="pk_sequence_marks"),
        sqlite_with_rowid=False,
    )


def _make_dead_letters() -> None:
    op.create_table(
        "dead_letters",
        sa.Column("id", ROW_NUMBER, autoincrement=True),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("complaint_id", sa.String(64)),
        sa.Column("source", sa.String(64)),
        sa.Column("sequence", sa.Integer),
        sa.Column("type", sa.Text),
        sa.Column("topic", sa.String(255), nullable=False),
        sa.Column("partition", sa.Integer, nullable=False),
        sa.Column("offset", sa.BigInteger, nullable=False),
        sa.Column("logged_at", UtcDateTime, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("headers", sa.Text, nullable=False),
        sa.Column("value", sa.LargeBinary, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_dead_letters"),
        sa.UniqueConstraint("topic", "partition", "offset", name="uq_dead_letters_position"),
        sqlite_autoincrement=True,
    )
    parked = sa.text("state = 'parked'")
    op.create_index(
        "uq_dead_letters_parked",
        "dead_letters",
        ["complaint_id", "source", "sequence"],
        unique=True,
        postgresql_where=parked,
        sqlite_where=parked,
    )


def _make_idempotency_keys() -> None:
    op.create_table(
        "idempotency_keys",
        sa.Column("client", sa.String(200), nullable=False),
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("headers", JsonDocument, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("client", "key", name="pk_idempotency_keys"),
    )
    op.create_index("ix_idempotency_keys_created_at", "idempotency_keys", ["created_at"])
