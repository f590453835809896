"""Routes: which row of the routing table a message follows, and the priority its conditions ask."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a column to each table; what is there already follows the first row of its kind."""
    op.add_column(
        "complaints", sa.Column("priority", sa.String(16), nullable=False, server_default="")
    )
    op.add_column("notifications", sa.Column("route", sa.String(48), nullable=True))
