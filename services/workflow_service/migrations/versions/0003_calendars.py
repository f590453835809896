"""Calendars in all their versions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.db.types import JsonDocument, UtcDateTime

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "calendars",
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("special", JsonDocument, nullable=False),
        sa.Column("official_until", sa.Integer),
        sa.Column("seed", sa.Text),
        sa.Column("valid_from", UtcDateTime, nullable=False),
        sa.Column("by", sa.String(100), nullable=False),
        sa.PrimaryKeyConstraint("name", "version", name="pk_calendars"),
    )
