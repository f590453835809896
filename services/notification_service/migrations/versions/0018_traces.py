"""Keep with each message the trace of the event that it tells of."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the column; of messages from before the trace is not known."""
    op.add_column("notifications", sa.Column("traceparent", sa.String(55), nullable=True))
