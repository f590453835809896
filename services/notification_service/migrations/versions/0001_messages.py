"""Messages: what is known of a complaint, and one row per intent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.db.types import JsonDocument, UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make both tables and their indexes."""
    op.create_table(
        "complaints",
        sa.Column("complaint_id", sa.String(36), nullable=False),
        sa.Column("number", sa.String(16), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("urgency", sa.String(16), nullable=False),
        sa.Column("category", sa.String(64), nullable=False),
        sa.Column("imported", sa.Boolean, nullable=False),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary, nullable=True),
        sa.PrimaryKeyConstraint("complaint_id", name="complaints_pkey"),
    )
    op.create_table(
        "notifications",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("complaint_id", sa.String(36), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("occurrence", sa.Integer, nullable=False),
        sa.Column("audience", sa.String(16), nullable=False),
        sa.Column("recipient", sa.String(128), nullable=False),
        sa.Column("facts", JsonDocument, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("channel", sa.String(16), nullable=True),
        sa.Column("tried", JsonDocument, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("reason", sa.String(200), nullable=True),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("next_attempt_at", UtcDateTime, nullable=False),
        sa.Column("sent_at", UtcDateTime, nullable=True),
        sa.Column("leased_by", sa.String(64), nullable=True),
        sa.Column("leased_until", UtcDateTime, nullable=True),
        sa.Column("address_masked", sa.String(128), nullable=True),
        sa.Column("address", sa.LargeBinary, nullable=True),
        sa.Column("content", sa.LargeBinary, nullable=True),
        sa.PrimaryKeyConstraint("id", name="notifications_pkey"),
        sa.ForeignKeyConstraint(
            ["complaint_id"], ["complaints.complaint_id"], name="notifications_complaint_fkey"
        ),
        sa.UniqueConstraint(
            "complaint_id", "kind", "occurrence", "recipient", name="notifications_intent_key"
        ),
    )
    _index("notifications_queued_idx", ["next_attempt_at", "id"], "state = 'queued'")
    _index("notifications_sending_idx", ["leased_until"], "state = 'sending'")
    op.create_index("notifications_complaint_idx", "notifications", ["complaint_id", "id"])
    op.create_index("notifications_state_idx", "notifications", ["state", "id"])


def _index(name: str, columns: list[str], where: str) -> None:
    op.create_index(
        name,
        "notifications",
        columns,
        sqlite_where=sa.text(where),
        postgresql_where=sa.text(where),
    )
