"""Tables of customers: the person under a key of their own, and by what they are found again."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
)

from services.intake_service.models import metadata
from shared.db.types import UtcDateTime

customers = Table(
    "customers",
    metadata,
    Column("id", String(36), nullable=False),
    # NULL once the customer was erased: everything under the key is unreadable from then on.
    Column("data_key", LargeBinary),
    Column("details", LargeBinary),
    Column("tier", String(16), nullable=False),
    Column("locale", String(16)),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("id", name="pk_customers"),
)

# The blind index is keyed by kind as well as value, so it is unique by itself.
customer_identities = Table(
    "customer_identities",
    metadata,
    Column("blind_index", LargeBinary, nullable=False),
    Column("kind", String(8), nullable=False),
    Column("customer_id", String(36), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("blind_index", name="pk_customer_identities"),
    ForeignKeyConstraint(
        ["customer_id"], ["customers.id"], name="fk_customer_identities_customer_id"
    ),
    Index("ix_customer_identities_customer_id", "customer_id"),
)

# Two customers that one complaint spoke of as one person; a person decides about merging.
merge_candidates = Table(
    "merge_candidates",
    metadata,
    Column("customer_id", String(36), nullable=False),
    Column("other_id", String(36), nullable=False),
    Column("complaint_id", String(36), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("customer_id", "other_id", "complaint_id", name="pk_merge_candidates"),
)

personal_data_access = Table(
    "personal_data_access",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), autoincrement=True),
    Column("complaint_id", String(36), nullable=False),
    Column("customer_id", String(36), nullable=False),
    Column("principal", String(200), nullable=False),
    Column("purpose", String(64), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("id", name="pk_personal_data_access"),
    Index("ix_personal_data_access_complaint_id", "complaint_id"),
)
