"""Whether customers are satisfied, and the call-backs that ask them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.db.types import JsonDocument

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Apply."""
    op.add_column("cases", sa.Column("call_backs", JsonDocument, nullable=True))
    op.add_column("cases", sa.Column("satisfaction", JsonDocument, nullable=True))
    op.create_table(
        "call_backs",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("complaint_id", sa.String(36), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_call_backs"),
        sa.ForeignKeyConstraint(["complaint_id"], ["cases.id"], name="fk_call_backs_cases"),
    )
    op.create_index("ix_call_backs_state", "call_backs", ["state", "id"])
    op.create_index("ix_call_backs_complaint_id", "call_backs", ["complaint_id"])
