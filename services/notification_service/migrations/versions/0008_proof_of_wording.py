"""Proof of wording: which version of a wording a gateway was handed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; what was handed over before has none."""
    op.add_column("hand_overs", sa.Column("template", sa.String(64), nullable=True))
