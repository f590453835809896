"""The promises of a case."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.db.types import JsonDocument

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Apply."""
    op.add_column("cases", sa.Column("promises", JsonDocument, nullable=False, server_default="[]"))
