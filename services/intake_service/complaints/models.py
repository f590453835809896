"""Tables of complaints. What a customer said stands in `words`, under the customer's key."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    UniqueConstraint,
    text,
)

from services.intake_service.models import metadata
from shared.db.types import JsonDocument, UtcDateTime

complaints = Table(
    "complaints",
    metadata,
    Column("id", String(36), nullable=False),
    Column("number", String(11), nullable=False),
    Column("customer_id", String(36), nullable=False),
    Column("source_system", String(200)),
    Column("source_id", String(500)),
    Column("channel", String(32), nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("occurred_at", UtcDateTime),
    Column("tier", String(16), nullable=False),
    Column("language", String(16), nullable=False),
    Column("locale", String(16), nullable=False),
    Column("category", String(100), nullable=False),
    Column("decided_by", String(16), nullable=False),
    Column("suggested_category", String(100), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("urgency", String(16), nullable=False),
    Column("priority", String(4), nullable=False),
    Column("motive", String(16)),
    Column("region", String(64)),
    Column("h3", String(16)),
    Column("product", String(200)),
    # Order and contract as blind indexes: by them a second complaint about the same is found.
    Column("order_key", LargeBinary),
    Column("contract_key", LargeBinary),
    Column("demands", JsonDocument, nullable=False),
    Column("imported", Boolean(name="ck_complaints_imported"), nullable=False),
    Column("recorded", JsonDocument),
    Column("repeat_of", String(36)),
    Column("token_hash", LargeBinary, nullable=False),
    # Description, contact as given, people, references, exact place, reasons, tracking token.
    Column("words", LargeBinary, nullable=False),
    # The last event of intake about this complaint; locked by whoever adds the next.
    Column("sequence", Integer, nullable=False),
    # How the case stands, as workflow's events told it.
    Column("status", String(32), nullable=False),
    Column("next_step", String(64)),
    Column("next_due_at", UtcDateTime),
    Column("progress_at", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("id", name="pk_complaints"),
    UniqueConstraint("number", name="uq_complaints_number"),
    UniqueConstraint("token_hash", name="uq_complaints_token_hash"),
    UniqueConstraint("source_system", "source_id", name="uq_complaints_source"),
    ForeignKeyConstraint(["customer_id"], ["customers.id"], name="fk_complaints_customer_id"),
    # What a customer complained about, in the order of time. The first serves whoever asks for all
    # complaints of a customer, too; the others hold only complaints that name such a thing.
    Index("ix_complaints_category", "customer_id", "category", "received_at"),
    *(
        Index(
            f"ix_complaints_{name}",
            "customer_id",
            name,
            "received_at",
            postgresql_where=text(f"{name} IS NOT NULL"),
            sqlite_where=text(f"{name} IS NOT NULL"),
        )
        for name in ("order_key", "contract_key", "product")
    ),
)

additions = Table(
    "complaint_additions",
    metadata,
    Column("id", String(36), nullable=False),
    Column("complaint_id", String(36), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("by", String(16), nullable=False),
    Column("author", String(200)),
    Column("fields", JsonDocument, nullable=False),
    Column("text", LargeBinary, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("id", name="pk_complaint_additions"),
    ForeignKeyConstraint(
        ["complaint_id"], ["complaints.id"], name="fk_complaint_additions_complaint_id"
    ),
    Index("ix_complaint_additions_complaint_id", "complaint_id"),
)

regradings = Table(
    "complaint_regradings",
    metadata,
    Column("complaint_id", String(36), nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("by", String(200), nullable=False),
    Column("why", LargeBinary, nullable=False),
    Column("before", JsonDocument, nullable=False),
    Column("after", JsonDocument, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("complaint_id", "sequence", name="pk_complaint_regradings"),
    ForeignKeyConstraint(
        ["complaint_id"], ["complaints.id"], name="fk_complaint_regradings_complaint_id"
    ),
)

# The customer's view of what happened: one row per fact of workflow that they may see.
milestones = Table(
    "complaint_milestones",
    metadata,
    Column("complaint_id", String(36), nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("complaint_id", "sequence", name="pk_complaint_milestones"),
)
