"""Tables of webhooks. Nothing in them is personal: events hold no personal data."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from services.notification_service.models import metadata
from shared.db.types import JsonDocument, UtcDateTime
from shared.messaging.tables import RowNumber

# `secrets` are the signing keys, sealed under `wrapped_key`; `from_positions` is where the log
# ended when the subscription was made: what came before is not for it.
webhooks = Table(
    "webhooks",
    metadata,
    Column("id", String(36), nullable=False),
    Column("url", Text, nullable=False),
    Column("types", JsonDocument, nullable=False),
    Column("categories", JsonDocument, nullable=False),
    Column("departments", JsonDocument, nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", String(200), nullable=True),
    Column("version", Integer, nullable=False),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("secrets", LargeBinary, nullable=False),
    Column("from_positions", JsonDocument, nullable=False),
    Column("created_by", String(64), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("failing_since", UtcDateTime, nullable=True),
    Column("probe_at", UtcDateTime, nullable=True),
    Column("deleted_at", UtcDateTime, nullable=True),
    PrimaryKeyConstraint("id", name="webhooks_pkey"),
)

# One event on its way to one endpoint. Ids grow in the order of the log: one leader inserts.
deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("id", RowNumber, autoincrement=True),
    Column("webhook_id", String(36), nullable=False),
    Column("event_id", String(64), nullable=False),
    Column("type", String(64), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("event_time", UtcDateTime, nullable=False),
    Column("state", String(12), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("last_status", Integer, nullable=True),
    Column("last_error", String(200), nullable=True),
    Column("last_attempt_at", UtcDateTime, nullable=True),
    Column("next_attempt_at", UtcDateTime, nullable=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("delivered_at", UtcDateTime, nullable=True),
    Column("body", LargeBinary, nullable=False),
    PrimaryKeyConstraint("id", name="webhook_deliveries_pkey"),
    # A relay that was killed may repeat an event in the log; it is delivered once.
    UniqueConstraint("webhook_id", "event_id", name="webhook_deliveries_event_key"),
    Index("webhook_deliveries_listing_idx", "webhook_id", "id"),
    Index("webhook_deliveries_created_idx", "created_at"),
    # A lane's first, and what became of one complaint; state stands in none but the next, so that
    # settling moves few entries.
    Index("webhook_deliveries_lane_idx", "webhook_id", "subject", "id"),
    Index("webhook_deliveries_state_idx", "webhook_id", "state", "id"),
    # A range is sent again in a transaction: it must not walk through all that was ever sent.
    Index("webhook_deliveries_time_idx", "webhook_id", "event_time"),
    sqlite_autoincrement=True,
)

# One complaint on its way to one endpoint, for as long as something waits there. What is due is
# found by lanes, so that its cost does not grow with what waits behind a failing delivery.
lanes = Table(
    "webhook_lanes",
    metadata,
    Column("webhook_id", String(36), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("state", String(8), nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("failing_since", UtcDateTime, nullable=True),
    Column("leased_by", String(64), nullable=True),
    Column("leased_until", UtcDateTime, nullable=True),
    PrimaryKeyConstraint("webhook_id", "subject", name="webhook_lanes_pkey"),
    Index(
        "webhook_lanes_due_idx",
        "webhook_id",
        "due_at",
        sqlite_where=text("state = 'open'"),
        postgresql_where=text("state = 'open'"),
    ),
)

# What filters need to know of each complaint.
standings = Table(
    "webhook_standings",
    metadata,
    Column("subject", String(64), nullable=False),
    Column("category", String(64), nullable=True),
    Column("department", String(64), nullable=True),
    PrimaryKeyConstraint("subject", name="webhook_standings_pkey"),
    sqlite_with_rowid=False,
)

# How far the log was followed, in the transaction of the deliveries made of it; whoever moves it
# must know its `version`, so that of two who both think that they lead only one does.
progress = Table(
    "webhook_progress",
    metadata,
    Column("name", String(16), nullable=False),
    Column("positions", JsonDocument, nullable=False),
    Column("version", BigInteger, nullable=False),
    PrimaryKeyConstraint("name", name="webhook_progress_pkey"),
)
