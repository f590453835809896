"""Who loaded a policy, and how far a new calendar has been followed by running clocks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Apply."""
    op.add_column(
        "policies", sa.Column("by", sa.String(100), nullable=False, server_default="product")
    )
    op.create_table(
        "calendar_sweeps",
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("after_id", sa.String(36), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_calendar_sweeps"),
    )
