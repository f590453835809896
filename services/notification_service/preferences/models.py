"""Tables of preferences: how they are, and every change with who made it."""

from __future__ import annotations

from sqlalchemy import Column, Integer, PrimaryKeyConstraint, String, Table

from services.notification_service.models import metadata
from shared.db.types import JsonDocument, UtcDateTime

preferences = Table(
    "preferences",
    metadata,
    Column("customer_id", String(36), nullable=False),
    Column("version", Integer, nullable=False),
    Column("document", JsonDocument, nullable=False),
    Column("changed_by", String(64), nullable=True),
    Column("changed_at", UtcDateTime, nullable=True),
    PrimaryKeyConstraint("customer_id", name="preferences_pkey"),
)

# Consent must be provable (GDPR Art. 7(1), PIPL Art. 14): what was chosen, when and by whom.
preference_changes = Table(
    "preference_changes",
    metadata,
    Column("customer_id", String(36), nullable=False),
    Column("version", Integer, nullable=False),
    Column("document", JsonDocument, nullable=False),
    Column("changed_by", String(64), nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("customer_id", "version", name="preference_changes_pkey"),
)
