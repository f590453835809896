"""Tables of templates: a company's own wordings by version, and what was sent to try them."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    text,
)

from services.notification_service.models import metadata
from shared.db.types import UtcDateTime

# A version never changes but for its state. `base` tells the release's wording that it was written
# beside, so that a newer one can be offered.
template_versions = Table(
    "template_versions",
    metadata,
    Column("kind", String(32), nullable=False),
    Column("locale", String(8), nullable=False),
    Column("version", Integer, nullable=False),
    Column("source", Text, nullable=False),
    Column("base", String(64), nullable=False),
    Column("author", String(128), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("state", String(16), nullable=False),
    Column("changed_at", UtcDateTime, nullable=True),
    Column("changed_by", String(128), nullable=True),
    PrimaryKeyConstraint("kind", "locale", "version", name="template_versions_pkey"),
    # At most one of a kind and language speaks, whoever activates what at the same time.
    Index(
        "template_versions_active_key",
        "kind",
        "locale",
        unique=True,
        sqlite_where=text("state = 'active'"),
        postgresql_where=text("state = 'active'"),
    ),
)

# Apart from `notifications`: a trial is no notice, and its address is the caller's own.
template_tests = Table(
    "template_tests",
    metadata,
    Column("id", String(36), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("locale", String(8), nullable=False),
    Column("version", String(16), nullable=False),
    Column("channel", String(16), nullable=False),
    Column("address_masked", String(256), nullable=False),
    Column("by", String(128), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", String(200), nullable=True),
    PrimaryKeyConstraint("id", name="template_tests_pkey"),
    Index("template_tests_by_idx", "by", "created_at"),
)
