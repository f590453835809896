"""Tables of cases: the case itself, its history, and the words spoken in handling it."""

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
    Text,
    UniqueConstraint,
    text,
)

from services.workflow_service.cases.domain.lifecycle import OPEN_STATES
from services.workflow_service.models import metadata
from shared.db.types import JsonDocument, UtcDateTime

IS_OPEN = f"state IN ({', '.join(repr(state.value) for state in sorted(OPEN_STATES))})"
"""The condition of the index of open cases; a query must say it in the same words."""

# `clocks` is one document: a case is always read and written whole, and a bulk of cases is one
# statement. `due_at` repeats the earliest due time of an unreached milestone, for `overdue=true`.
cases = Table(
    "cases",
    metadata,
    Column("id", String(36), nullable=False),
    Column("number", String(20), nullable=False),
    Column("state", String(20), nullable=False),
    Column("round", Integer, nullable=False),
    Column("owner", String(64)),
    Column("department", String(64)),
    Column("category", String(100), nullable=False),
    Column("priority", String(8), nullable=False),
    Column("escalation_level", Integer, nullable=False),
    Column("warning_level", String(8), nullable=False),
    Column("handovers", Integer, nullable=False),
    Column("declines", Integer, nullable=False),
    Column("options", JsonDocument, nullable=False),
    Column("accepted_option", String(8)),
    Column("outcome", String(20)),
    Column("state_before", String(20)),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("policy", String(60), nullable=False),
    Column("facts", JsonDocument, nullable=False),
    Column("clocks", JsonDocument, nullable=False),
    Column("due_at", UtcDateTime),
    Column("version", Integer, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("imported", Boolean, nullable=False),
    Column("awaiting_until", UtcDateTime),
    Column("customer_id", String(64)),
    Column("channel", String(20)),
    Column("promises", JsonDocument, nullable=False, server_default="[]"),
    Column("causes", JsonDocument),
    Column("escalated_at", UtcDateTime),
    Column("final_offer", Boolean),
    Column("watched", String(40)),
    Column("repeat_of", String(36)),
    Column("merged_into", String(36)),
    Column("changed_at", UtcDateTime),
    Column("approval", JsonDocument),
    Column("approver", String(64)),
    Column("call_backs", JsonDocument),
    Column("satisfaction", JsonDocument),
    PrimaryKeyConstraint("id", name="pk_cases"),
    UniqueConstraint("number", name="uq_cases_number"),
    Index("ix_cases_state", "state", "id"),
    Index("ix_cases_owner", "owner", "id"),
    Index(
        "ix_cases_open_owner",
        "owner",
        postgresql_where=text(IS_OPEN),
        sqlite_where=text(IS_OPEN),
    ),
    Index("ix_cases_department", "department", "id"),
    Index("ix_cases_customer_id", "customer_id", "opened_at"),
    *(
        Index(
            f"ix_cases_{column}",
            column,
            "id",
            postgresql_where=text(f"{column} IS NOT NULL"),
            sqlite_where=text(f"{column} IS NOT NULL"),
        )
        for column in ("watched", "repeat_of", "approver")
    ),
    Index(
        "ix_cases_due_at",
        "due_at",
        postgresql_where=text("due_at IS NOT NULL"),
        sqlite_where=text("due_at IS NOT NULL"),
    ),
)

case_history = Table(
    "case_history",
    metadata,
    Column("complaint_id", String(36), nullable=False),
    Column("version", Integer, nullable=False),
    Column("place", Integer, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("by", String(100), nullable=False),
    Column("action", String(40), nullable=False),
    Column("from_state", String(20)),
    Column("to_state", String(20), nullable=False),
    Column("why", Text),
    Column("words_id", String(36)),
    Column("note_id", String(36)),
    Column("data", JsonDocument),
    PrimaryKeyConstraint("complaint_id", "version", "place", name="pk_case_history"),
)

# What a list of call-backs asks for; all that there is to know of one lies with its case.
call_backs = Table(
    "call_backs",
    metadata,
    Column("id", String(36), nullable=False),
    Column("complaint_id", String(36), nullable=False),
    Column("state", String(20), nullable=False),
    PrimaryKeyConstraint("id", name="pk_call_backs"),
    ForeignKeyConstraint(["complaint_id"], ["cases.id"], name="fk_call_backs_cases"),
    Index("ix_call_backs_state", "state", "id"),
    Index("ix_call_backs_complaint_id", "complaint_id"),
)

# One key per complaint: destroying it (CustomerErased) makes its words unreadable for ever.
word_keys = Table(
    "word_keys",
    metadata,
    Column("complaint_id", String(36), nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    PrimaryKeyConstraint("complaint_id", name="pk_word_keys"),
)

words = Table(
    "words",
    metadata,
    Column("id", String(36), nullable=False),
    Column("complaint_id", String(36), nullable=False),
    Column("kind", String(30), nullable=False),
    Column("by", String(100), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("ciphertext", LargeBinary, nullable=False),
    PrimaryKeyConstraint("id", name="pk_words"),
    ForeignKeyConstraint(
        ["complaint_id"], ["word_keys.complaint_id"], name="fk_words_word_keys", ondelete="CASCADE"
    ),
    Index("ix_words_complaint_id", "complaint_id"),
)
