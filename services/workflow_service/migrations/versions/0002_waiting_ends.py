"""Until when an awaiting case waits for the customer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.db.types import UtcDateTime

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Apply."""
    op.add_column("cases", sa.Column("awaiting_until", UtcDateTime, nullable=True))
