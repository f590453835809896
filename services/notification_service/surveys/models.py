"""The table of surveys."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    UniqueConstraint,
)

from services.notification_service.models import metadata
from shared.db.types import UtcDateTime

# The token itself stands nowhere: it follows from the master key, and its hash finds the row.
surveys = Table(
    "surveys",
    metadata,
    Column("id", String(36), nullable=False),
    Column("complaint_id", String(36), nullable=False),
    Column("round", Integer, nullable=False),
    Column("token_hash", LargeBinary, nullable=False),
    Column("asked_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("score", Integer, nullable=True),
    Column("wants_call", Boolean, nullable=True),
    Column("words", LargeBinary, nullable=True),
    Column("answered_at", UtcDateTime, nullable=True),
    PrimaryKeyConstraint("id", name="surveys_pkey"),
    ForeignKeyConstraint(["complaint_id"], ["complaints.complaint_id"], name="surveys_fkey"),
    UniqueConstraint("token_hash", name="surveys_token_key"),
    UniqueConstraint("complaint_id", "round", name="surveys_round_key"),
)
