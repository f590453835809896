"""List messages by channel: where it is rare every message was walked through."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index; what waits has no channel yet and is not in it."""
    chosen = sa.text("channel IS NOT NULL")
    op.create_index(
        "notifications_channel_idx",
        "notifications",
        ["channel", "id"],
        sqlite_where=chosen,
        postgresql_where=chosen,
    )
