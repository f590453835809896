"""Surveys, each answered once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.db.types import UtcDateTime

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "surveys",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("complaint_id", sa.String(36), nullable=False),
        sa.Column("round", sa.Integer, nullable=False),
        sa.Column("token_hash", sa.LargeBinary, nullable=False),
        sa.Column("asked_at", UtcDateTime, nullable=False),
        sa.Column("expires_at", UtcDateTime, nullable=False),
        sa.Column("score", sa.Integer, nullable=True),
        sa.Column("wants_call", sa.Boolean, nullable=True),
        sa.Column("words", sa.LargeBinary, nullable=True),
        sa.Column("answered_at", UtcDateTime, nullable=True),
        sa.PrimaryKeyConstraint("id", name="surveys_pkey"),
        sa.ForeignKeyConstraint(["complaint_id"], ["complaints.complaint_id"], name="surveys_fkey"),
        sa.UniqueConstraint("token_hash", name="surveys_token_key"),
        sa.UniqueConstraint("complaint_id", "round", name="surveys_round_key"),
    )
