"""By what a second complaint about the same matter is found.

Order and contract of the complaints that stand already are encrypted, so these are found again by
product and category only.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("complaints", sa.Column("order_key", sa.LargeBinary(), nullable=True))
    op.add_column("complaints", sa.Column("contract_key", sa.LargeBinary(), nullable=True))
    op.create_index(
        "ix_complaints_category", "complaints", ["customer_id", "category", "received_at"]
    )
    op.drop_index("ix_complaints_customer_id", table_name="complaints")
    for name in ("order_key", "contract_key", "product"):
        op.create_index(
            f"ix_complaints_{name}",
            "complaints",
            ["customer_id", name, "received_at"],
            postgresql_where=sa.text(f"{name} IS NOT NULL"),
            sqlite_where=sa.text(f"{name} IS NOT NULL"),
        )
