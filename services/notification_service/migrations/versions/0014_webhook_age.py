"""The oldest that waits is found endpoint by endpoint, by the index of states."""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Drop the index that nothing reads any more."""
    op.drop_index("webhook_deliveries_age_idx", "webhook_deliveries")
