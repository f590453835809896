"""Whose case it is, how it came, and what a replay of its clocks needs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.db.types import JsonDocument

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Apply."""
    op.add_column("cases", sa.Column("customer_id", sa.String(64), nullable=True))
    op.add_column("cases", sa.Column("channel", sa.String(20), nullable=True))
    op.add_column("case_history", sa.Column("data", JsonDocument, nullable=True))
    op.create_index("ix_cases_customer_id", "cases", ["customer_id", "opened_at"])
    if op.get_bind().dialect.name == "postgresql":
        found = "facts::json ->> '{}'"
    else:
        found = "json_extract(facts, '$.{}')"
    customer, channel = found.format("customer_id"), found.format("channel")
    op.execute(f"UPDATE cases SET customer_id = {customer}, channel = {channel}")  # noqa: S608
