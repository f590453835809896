"""Cases with history and words, timers, policy versions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.db.types import JsonDocument, UtcDateTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Apply."""
    _make_cases()
    _make_history()
    _make_words()
    _make_time()


def _make_cases() -> None:
    op.create_table(
        "cases",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("number", sa.String(20), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("round", sa.Integer, nullable=False),
        sa.Column("owner", sa.String(64)),
        sa.Column("department", sa.String(64)),
        sa.Column("category", sa.String(100), nullable=False),
        sa.Column("priority", sa.String(8), nullable=False),
        sa.Column("escalation_level", sa.Integer, nullable=False),
        sa.Column("warning_level", sa.String(8), nullable=False),
        sa.Column("handovers", sa.Integer, nullable=False),
        sa.Column("declines", sa.Integer, nullable=False),
        sa.Column("options", JsonDocument, nullable=False),
        sa.Column("accepted_option", sa.String(8)),
        sa.Column("outcome", sa.String(20)),
        sa.Column("state_before", sa.String(20)),
        sa.Column("opened_at", UtcDateTime, nullable=False),
        sa.Column("policy", sa.String(60), nullable=False),
        sa.Column("facts", JsonDocument, nullable=False),
        sa.Column("clocks", JsonDocument, nullable=False),
        sa.Column("due_at", UtcDateTime),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("imported", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_cases"),
        sa.UniqueConstraint("number", name="uq_cases_number"),
    )
    op.create_index("ix_cases_state", "cases", ["state", "id"])
    op.create_index("ix_cases_owner", "cases", ["owner", "id"])
    op.create_index("ix_cases_department", "cases", ["department", "id"])
    waiting = sa.text("due_at IS NOT NULL")
    op.create_index(
        "ix_cases_due_at", "cases", ["due_at"], postgresql_where=waiting, sqlite_where=waiting
    )


def _make_history() -> None:
    op.create_table(
        "case_history",
        sa.Column("complaint_id", sa.String(36), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("recorded_at", UtcDateTime, nullable=False),
        sa.Column("by", sa.String(100), nullable=False),
        sa.Column("action", sa.String(40), nullable=False),
        sa.Column("from_state", sa.String(20)),
        sa.Column("to_state", sa.String(20), nullable=False),
        sa.Column("why", sa.Text),
        sa.Column("words_id", sa.String(36)),
        sa.Column("note_id", sa.String(36)),
        sa.PrimaryKeyConstraint("complaint_id", "version", "place", name="pk_case_history"),
    )


def _make_words() -> None:
    op.create_table(
        "word_keys",
        sa.Column("complaint_id", sa.String(36), nullable=False),
        sa.Column("wrapped", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("complaint_id", name="pk_word_keys"),
    )
    op.create_table(
        "words",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("complaint_id", sa.String(36), nullable=False),
        sa.Column("kind", sa.String(30), nullable=False),
        sa.Column("by", sa.String(100), nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("ciphertext", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_words"),
        sa.ForeignKeyConstraint(
            ["complaint_id"],
            ["word_keys.complaint_id"],
            name="fk_words_word_keys",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_words_complaint_id", "words", ["complaint_id"])


def _make_time() -> None:
    op.create_table(
        "timers",
        sa.Column("complaint_id", sa.String(36), nullable=False),
        sa.Column("due_at", UtcDateTime, nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("complaint_id", name="pk_timers"),
    )
    op.create_index("ix_timers_due_at", "timers", ["due_at", "complaint_id"])
    op.create_table(
        "policies",
        sa.Column("label", sa.String(60), nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("loaded_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("label", name="pk_policies"),
    )
