"""An index by which a range of deliveries is sent again however many there are."""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Find an endpoint's deliveries by the times of their events."""
    op.create_index(
        "webhook_deliveries_time_idx", "webhook_deliveries", ["webhook_id", "event_time"]
    )
