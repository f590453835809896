"""Digests for staff, and by what a message that says the same again is known."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; what is queued already goes by itself, as it was planned."""
    op.add_column("notifications", sa.Column("fingerprint", sa.LargeBinary, nullable=True))
    op.add_column(
        "notifications",
        sa.Column("gathered", sa.Boolean, nullable=False, server_default=sa.false()),
    )
    op.add_column("notifications", sa.Column("digest_id", sa.String(36), nullable=True))
    waiting = sa.text("state = 'queued' AND gathered")
    op.create_index(
        "notifications_gathered_idx",
        "notifications",
        ["next_attempt_at", "id"],
        sqlite_where=waiting,
        postgresql_where=waiting,
    )
