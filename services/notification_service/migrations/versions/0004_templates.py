"""Templates: a company's own wordings by version, trials of them, and what each message used."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.db.types import UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make both tables, and room for the version that a message was written with."""
    op.create_table(
        "template_versions",
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("locale", sa.String(8), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("base", sa.String(64), nullable=False),
        sa.Column("author", sa.String(128), nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("changed_at", UtcDateTime, nullable=True),
        sa.Column("changed_by", sa.String(128), nullable=True),
        sa.PrimaryKeyConstraint("kind", "locale", "version", name="template_versions_pkey"),
    )
    op.create_index(
        "template_versions_active_key",
        "template_versions",
        ["kind", "locale"],
        unique=True,
        sqlite_where=sa.text("state = 'active'"),
        postgresql_where=sa.text("state = 'active'"),
    )
    op.create_table(
        "template_tests",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("locale", sa.String(8), nullable=False),
        sa.Column("version", sa.String(16), nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("address_masked", sa.String(256), nullable=False),
        sa.Column("by", sa.String(128), nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(200), nullable=True),
        sa.PrimaryKeyConstraint("id", name="template_tests_pkey"),
    )
    op.create_index("template_tests_by_idx", "template_tests", ["by", "created_at"])
    op.add_column("notifications", sa.Column("template_version", sa.String(16), nullable=True))
