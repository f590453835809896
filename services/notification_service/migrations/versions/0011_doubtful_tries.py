"""Messages that a gateway may have taken, and the way from a digest to what was in it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_TABLE = "notifications"


def upgrade() -> None:
    """Let a message know that an earlier try may have gone through; find messages by digest."""
    op.add_column(
        _TABLE,
        sa.Column("doubtful", sa.Boolean, nullable=False, server_default=sa.false()),
    )
    known = sa.text("digest_id IS NOT NULL")
    op.create_index(
        "notifications_digest_idx",
        _TABLE,
        ["digest_id"],
        sqlite_where=known,
        postgresql_where=known,
    )
