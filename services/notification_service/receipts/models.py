"""The table of receipts, kept as they came until the message they belong to is found."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    Index,
    PrimaryKeyConstraint,
    String,
    Table,
    UniqueConstraint,
    text,
)

from services.notification_service.models import metadata
from shared.db.types import UtcDateTime

receipts = Table(
    "receipts",
    metadata,
    Column("id", String(36), nullable=False),
    Column("gateway", String(16), nullable=False),
    Column("key", String(300), nullable=False),
    Column("reference", String(128), nullable=True),
    Column("message_id", String(128), nullable=True),
    Column("arrival", String(16), nullable=False),
    Column("code", String(64), nullable=True),
    Column("happened_at", UtcDateTime, nullable=True),
    Column("received_at", UtcDateTime, nullable=False),
    Column("applied_at", UtcDateTime, nullable=True),
    PrimaryKeyConstraint("id", name="receipts_pkey"),
    UniqueConstraint("gateway", "key", name="receipts_key"),
    # Partial: what waits for its message is small however many receipts there were.
    Index(
        "receipts_waiting_idx",
        "id",
        sqlite_where=text("applied_at IS NULL"),
        postgresql_where=text("applied_at IS NULL"),
    ),
)
