"""Preferences of customers, and of which customer and region a complaint is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.db.types import JsonDocument, UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables; complaints from before have no customer here and go by the company's rules.

    Nothing but ComplaintReceived tells whose they are, and that was handled.
    """
    op.create_table(
        "preferences",
        sa.Column("customer_id", sa.String(36), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("document", JsonDocument, nullable=False),
        sa.Column("changed_by", sa.String(64), nullable=True),
        sa.Column("changed_at", UtcDateTime, nullable=True),
        sa.PrimaryKeyConstraint("customer_id", name="preferences_pkey"),
    )
    op.create_table(
        "preference_changes",
        sa.Column("customer_id", sa.String(36), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("document", JsonDocument, nullable=False),
        sa.Column("changed_by", sa.String(64), nullable=False),
        sa.Column("changed_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "version", name="preference_changes_pkey"),
    )
    op.add_column("complaints", sa.Column("customer_id", sa.String(36), nullable=True))
    op.add_column("complaints", sa.Column("region", sa.String(64), nullable=True))
    op.create_index("complaints_customer_idx", "complaints", ["customer_id"])
