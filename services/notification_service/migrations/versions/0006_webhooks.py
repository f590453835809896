"""Webhooks: subscriptions, deliveries, lanes, and how far the log was followed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.db.types import JsonDocument, UtcDateTime
from shared.messaging.tables import RowNumber

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables and their indexes."""
    _make_webhooks()
    _make_deliveries()
    _make_lanes()
    op.create_table(
        "webhook_standings",
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("category", sa.String(64), nullable=True),
        sa.Column("department", sa.String(64), nullable=True),
        sa.PrimaryKeyConstraint("subject", name="webhook_standings_pkey"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "webhook_progress",
        sa.Column("name", sa.String(16), nullable=False),
        sa.Column("positions", JsonDocument, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="webhook_progress_pkey"),
    )


def _make_webhooks() -> None:
    op.create_table(
        "webhooks",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("types", JsonDocument, nullable=False),
        sa.Column("categories", JsonDocument, nullable=False),
        sa.Column("departments", JsonDocument, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(200), nullable=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary, nullable=False),
        sa.Column("secrets", sa.LargeBinary, nullable=False),
        sa.Column("from_positions", JsonDocument, nullable=False),
        sa.Column("created_by", sa.String(64), nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("updated_at", UtcDateTime, nullable=False),
        sa.Column("failing_since", UtcDateTime, nullable=True),
        sa.Column("probe_at", UtcDateTime, nullable=True),
        sa.Column("deleted_at", UtcDateTime, nullable=True),
        sa.PrimaryKeyConstraint("id", name="webhooks_pkey"),
    )


def _make_deliveries() -> None:
    name = "webhook_deliveries"
    op.create_table(
        name,
        sa.Column("id", RowNumber, autoincrement=True),
        sa.Column("webhook_id", sa.String(36), nullable=False),
        sa.Column("event_id", sa.String(64), nullable=False),
        sa.Column("type", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("event_time", UtcDateTime, nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("last_status", sa.Integer, nullable=True),
        sa.Column("last_error", sa.String(200), nullable=True),
        sa.Column("last_attempt_at", UtcDateTime, nullable=True),
        sa.Column("next_attempt_at", UtcDateTime, nullable=True),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("delivered_at", UtcDateTime, nullable=True),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="webhook_deliveries_pkey"),
        sa.UniqueConstraint("webhook_id", "event_id", name="webhook_deliveries_event_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("webhook_deliveries_listing_idx", name, ["webhook_id", "id"])
    op.create_index("webhook_deliveries_created_idx", name, ["created_at"])
    lane = ["webhook_id", "subject", "id"]
    _index_some("webhook_deliveries_pending_idx", name, lane, "state = 'pending'")
    _index_some("webhook_deliveries_parked_idx", name, lane, "state = 'parked'")
    _index_some("webhook_deliveries_age_idx", name, ["created_at"], "state = 'pending'")


def _make_lanes() -> None:
    op.create_table(
        "webhook_lanes",
        sa.Column("webhook_id", sa.String(36), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("due_at", UtcDateTime, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("failing_since", UtcDateTime, nullable=True),
        sa.Column("leased_by", sa.String(64), nullable=True),
        sa.Column("leased_until", UtcDateTime, nullable=True),
        sa.PrimaryKeyConstraint("webhook_id", "subject", name="webhook_lanes_pkey"),
    )
    due = ["webhook_id", "due_at"]
    _index_some("webhook_lanes_due_idx", "webhook_lanes", due, "state = 'open'")


def _index_some(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(
        name,
        table,
        columns,
        sqlite_where=sa.text(where),
        postgresql_where=sa.text(where),
    )
