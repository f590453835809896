"""Find a complaint by its number: the outbox page looked at every message for it."""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index."""
    op.create_index("complaints_number_idx", "complaints", ["number"])
