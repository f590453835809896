"""Open cases by owner, to be counted for routing."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_IS_OPEN = sa.text(
    "state IN ('assigned', 'awaiting_customer', 'executing', 'investigating', 'proposed',"
    " 'received')"
)


def upgrade() -> None:
    """Apply."""
    op.create_index(
        "ix_cases_open_owner",
        "cases",
        ["owner"],
        postgresql_where=_IS_OPEN,
        sqlite_where=_IS_OPEN,
    )
