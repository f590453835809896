"""Tables of time: the next timer of each case, and the policy versions cases were opened under."""

from __future__ import annotations

from sqlalchemy import Column, Index, PrimaryKeyConstraint, String, Table, Text

from services.workflow_service.models import metadata
from shared.db.types import UtcDateTime

# One row per case, at its next warning or due time: an idle case costs nothing, however many
# there are. It says only when to look: what is due then is read from the case, under its lock.
timers = Table(
    "timers",
    metadata,
    Column("complaint_id", String(36), nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("complaint_id", name="pk_timers"),
    Index("ix_timers_due_at", "due_at", "complaint_id"),
)

policies = Table(
    "policies",
    metadata,
    Column("label", String(60), nullable=False),
    Column("document", Text, nullable=False),
    Column("loaded_at", UtcDateTime, nullable=False),
    Column("by", String(100), nullable=False, server_default="product"),
    PrimaryKeyConstraint("label", name="pk_policies"),
)
