"""Complaints and customers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.db.types import JsonDocument, UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "complaint_milestones",
        sa.Column("complaint_id", sa.String(length=36), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("complaint_id", "sequence", name="pk_complaint_milestones"),
    )
    op.create_table(
        "customers",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("data_key", sa.LargeBinary(), nullable=True),
        sa.Column("details", sa.LargeBinary(), nullable=True),
        sa.Column("tier", sa.String(length=16), nullable=False),
        sa.Column("locale", sa.String(length=16), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_customers"),
    )
    op.create_table(
        "merge_candidates",
        sa.Column("customer_id", sa.String(length=36), nullable=False),
        sa.Column("other_id", sa.String(length=36), nullable=False),
        sa.Column("complaint_id", sa.String(length=36), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint(
            "customer_id", "other_id", "complaint_id", name="pk_merge_candidates"
        ),
    )
    op.create_table(
        "personal_data_access",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("complaint_id", sa.String(length=36), nullable=False),
        sa.Column("customer_id", sa.String(length=36), nullable=False),
        sa.Column("principal", sa.String(length=200), nullable=False),
        sa.Column("purpose", sa.String(length=64), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_personal_data_access"),
    )
    op.create_index(
        "ix_personal_data_access_complaint_id",
        "personal_data_access",
        ["complaint_id"],
        unique=False,
    )
    op.create_table(
        "complaints",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.String(length=11), nullable=False),
        sa.Column("customer_id", sa.String(length=36), nullable=False),
        sa.Column("source_system", sa.String(length=200), nullable=True),
        sa.Column("source_id", sa.String(length=500), nullable=True),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("occurred_at", UtcDateTime(), nullable=True),
        sa.Column("tier", sa.String(length=16), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("locale", sa.String(length=16), nullable=False),
        sa.Column("category", sa.String(length=100), nullable=False),
        sa.Column("decided_by", sa.String(length=16), nullable=False),
        sa.Column("suggested_category", sa.String(length=100), nullable=False),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column("urgency", sa.String(length=16), nullable=False),
        sa.Column("priority", sa.String(length=4), nullable=False),
        sa.Column("motive", sa.String(length=16), nullable=True),
        sa.Column("region", sa.String(length=64), nullable=True),
        sa.Column("h3", sa.String(length=16), nullable=True),
        sa.Column("product", sa.String(length=200), nullable=True),
        sa.Column("demands", JsonDocument(), nullable=False),
        sa.Column("imported", sa.Boolean(name="ck_complaints_imported"), nullable=False),
        sa.Column("recorded", JsonDocument(), nullable=True),
        sa.Column("repeat_of", sa.String(length=36), nullable=True),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("next_step", sa.String(length=64), nullable=True),
        sa.Column("next_due_at", UtcDateTime(), nullable=True),
        sa.Column("progress_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name="fk_complaints_customer_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_complaints"),
        sa.UniqueConstraint("number", name="uq_complaints_number"),
        sa.UniqueConstraint("source_system", "source_id", name="uq_complaints_source"),
        sa.UniqueConstraint("token_hash", name="uq_complaints_token_hash"),
    )
    op.create_index("ix_complaints_customer_id", "complaints", ["customer_id"], unique=False)
    op.create_table(
        "customer_identities",
        sa.Column("blind_index", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("customer_id", sa.String(length=36), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name="fk_customer_identities_customer_id"
        ),
        sa.PrimaryKeyConstraint("blind_index", name="pk_customer_identities"),
    )
    op.create_index(
        "ix_customer_identities_customer_id", "customer_identities", ["customer_id"], unique=False
    )
    op.create_table(
        "complaint_additions",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("complaint_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("by", sa.String(length=16), nullable=False),
        sa.Column("author", sa.String(length=200), nullable=True),
        sa.Column("fields", JsonDocument(), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["complaint_id"], ["complaints.id"], name="fk_complaint_additions_complaint_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_complaint_additions"),
    )
    op.create_index(
        "ix_complaint_additions_complaint_id", "complaint_additions", ["complaint_id"], unique=False
    )
    op.create_table(
        "complaint_regradings",
        sa.Column("complaint_id", sa.String(length=36), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("why", sa.LargeBinary(), nullable=False),
        sa.Column("before", JsonDocument(), nullable=False),
        sa.Column("after", JsonDocument(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["complaint_id"], ["complaints.id"], name="fk_complaint_regradings_complaint_id"
        ),
        sa.PrimaryKeyConstraint("complaint_id", "sequence", name="pk_complaint_regradings"),
    )
