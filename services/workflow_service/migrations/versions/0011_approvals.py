"""Proposals that wait for approval, and who was asked for it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.db.types import JsonDocument

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Apply."""
    op.add_column("cases", sa.Column("approval", JsonDocument, nullable=True))
    op.add_column("cases", sa.Column("approver", sa.String(64), nullable=True))
    waits = sa.text("approver IS NOT NULL")
    op.create_index(
        "ix_cases_approver",
        "cases",
        ["approver", "id"],
        postgresql_where=waits,
        sqlite_where=waits,
    )
