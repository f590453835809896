"""Tables of calendars: every version that there was, with the days it was made of."""

from __future__ import annotations

from sqlalchemy import Column, Integer, PrimaryKeyConstraint, String, Table, Text

from services.workflow_service.models import metadata
from shared.db.types import JsonDocument, UtcDateTime

# Versions are never changed: a clock that names one can be explained for ever. `special` are the
# country's days as they were known when the version was stored, `seed` what a version that the
# settings made was made of, NULL once somebody has loaded a calendar of their own.
calendars = Table(
    "calendars",
    metadata,
    Column("name", String(40), nullable=False),
    Column("version", Integer, nullable=False),
    Column("document", Text, nullable=False),
    Column("special", JsonDocument, nullable=False),
    Column("official_until", Integer),
    Column("seed", Text),
    Column("valid_from", UtcDateTime, nullable=False),
    Column("by", String(100), nullable=False),
    PrimaryKeyConstraint("name", "version", name="pk_calendars"),
)

# A calendar that has changed, until the clocks of every open case have followed: those up to
# `after_id` have.
calendar_sweeps = Table(
    "calendar_sweeps",
    metadata,
    Column("name", String(40), nullable=False),
    Column("version", Integer, nullable=False),
    Column("after_id", String(36), nullable=False),
    PrimaryKeyConstraint("name", name="pk_calendar_sweeps"),
)
