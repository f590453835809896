"""Messages can be about other things than a complaint: the row that knows of it says what it is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Say of everything so far that it is a complaint."""
    op.add_column(
        "complaints",
        sa.Column("about", sa.String(16), nullable=False, server_default="complaint"),
    )
