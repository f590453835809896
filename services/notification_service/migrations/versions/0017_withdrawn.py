"""Remember which unsent messages a later fact has made untrue."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the column; for complaints from before nothing is withdrawn."""
    op.add_column("complaints", sa.Column("withdrawn", sa.Text, nullable=True))
