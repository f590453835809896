"""A timer only says when to look at its case; PostgreSQL cleans up behind the timers early."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Apply."""
    op.execute("ALTER TABLE timers DROP COLUMN generation")
    if op.get_bind().dialect.name == "postgresql":
        # What was fired leaves dead entries at the very end of the index where each look for due
        # timers begins. By default they would stay until a fifth of all cases had fired.
        op.execute("ALTER TABLE timers SET (autovacuum_vacuum_scale_factor = 0.02)")
