"""Receipts: hand-overs to gateways, what came of them, and what people decided."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.db.types import UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make three tables, and let a message know by when its proof is due."""
    op.add_column("notifications", sa.Column("delivered_at", UtcDateTime, nullable=True))
    op.add_column(
        "notifications",
        sa.Column("mandatory", sa.Boolean, nullable=False, server_default=sa.text("false")),
    )
    op.add_column("notifications", sa.Column("proof_due_at", UtcDateTime, nullable=True))
    _partial(
        "notifications_proof_idx", "notifications", ["proof_due_at"], "proof_due_at IS NOT NULL"
    )
    _hand_overs()
    _decisions()
    _receipts()


def _hand_overs() -> None:
    op.create_table(
        "hand_overs",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("notification_id", sa.String(36), nullable=False),
        sa.Column("complaint_id", sa.String(36), nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("gateway", sa.String(16), nullable=False),
        sa.Column("reference", sa.String(128), nullable=True),
        sa.Column("address_masked", sa.String(128), nullable=True),
        sa.Column("digest", sa.String(64), nullable=True),
        sa.Column("handed_over_at", UtcDateTime, nullable=False),
        sa.Column("receipt_due_at", UtcDateTime, nullable=True),
        sa.Column("arrival", sa.String(16), nullable=True),
        sa.Column("receipt_id", sa.String(36), nullable=True),
        sa.PrimaryKeyConstraint("id", name="hand_overs_pkey"),
        sa.ForeignKeyConstraint(
            ["notification_id"], ["notifications.id"], name="hand_overs_notification_fkey"
        ),
    )
    op.create_index("hand_overs_notification_idx", "hand_overs", ["notification_id", "id"])
    op.create_index("hand_overs_reference_idx", "hand_overs", ["gateway", "reference"])
    awaited = "arrival IS NULL AND receipt_due_at IS NOT NULL"
    _partial("hand_overs_awaited_idx", "hand_overs", ["receipt_due_at"], awaited)


def _decisions() -> None:
    op.create_table(
        "decisions",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("notification_id", sa.String(36), nullable=False),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("was", sa.String(16), nullable=False),
        sa.Column("by", sa.String(64), nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="decisions_pkey"),
        sa.ForeignKeyConstraint(
            ["notification_id"], ["notifications.id"], name="decisions_notification_fkey"
        ),
    )
    op.create_index("decisions_notification_idx", "decisions", ["notification_id", "id"])


def _receipts() -> None:
    op.create_table(
        "receipts",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("gateway", sa.String(16), nullable=False),
        sa.Column("key", sa.String(300), nullable=False),
        sa.Column("reference", sa.String(128), nullable=True),
        sa.Column("message_id", sa.String(128), nullable=True),
        sa.Column("arrival", sa.String(16), nullable=False),
        sa.Column("code", sa.String(64), nullable=True),
        sa.Column("happened_at", UtcDateTime, nullable=True),
        sa.Column("received_at", UtcDateTime, nullable=False),
        sa.Column("applied_at", UtcDateTime, nullable=True),
        sa.PrimaryKeyConstraint("id", name="receipts_pkey"),
        sa.UniqueConstraint("gateway", "key", name="receipts_key"),
    )
    _partial("receipts_waiting_idx", "receipts", ["id"], "applied_at IS NULL")


def _partial(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(
        name,
        table,
        columns,
        sqlite_where=sa.text(where),
        postgresql_where=sa.text(where),
    )
