"""Why a case went up and when, the watch list, and merged cases."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.db.types import JsonDocument, UtcDateTime

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Apply."""
    op.add_column("cases", sa.Column("causes", JsonDocument, nullable=True))
    op.add_column("cases", sa.Column("escalated_at", UtcDateTime, nullable=True))
    op.add_column("cases", sa.Column("final_offer", sa.Boolean, nullable=True))
    op.add_column("cases", sa.Column("watched", sa.String(40), nullable=True))
    op.add_column("cases", sa.Column("repeat_of", sa.String(36), nullable=True))
    op.add_column("cases", sa.Column("merged_into", sa.String(36), nullable=True))
    for column in ("watched", "repeat_of"):
        given = sa.text(f"{column} IS NOT NULL")
        op.create_index(
            f"ix_cases_{column}",
            "cases",
            [column, "id"],
            postgresql_where=given,
            sqlite_where=given,
        )
