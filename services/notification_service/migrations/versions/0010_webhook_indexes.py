"""Indexes by which deliveries are listed by state and complaint however many there are."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_TABLE = "webhook_deliveries"


def upgrade() -> None:
    """Put two whole indexes in the place of two partial ones."""
    op.drop_index("webhook_deliveries_pending_idx", _TABLE)
    op.drop_index("webhook_deliveries_parked_idx", _TABLE)
    op.create_index("webhook_deliveries_lane_idx", _TABLE, ["webhook_id", "subject", "id"])
    op.create_index("webhook_deliveries_state_idx", _TABLE, ["webhook_id", "state", "id"])
