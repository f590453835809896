"""When a case last changed: its history does not run backwards where the clock is set back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.db.types import UtcDateTime

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Apply."""
    op.add_column("cases", sa.Column("changed_at", UtcDateTime, nullable=True))
