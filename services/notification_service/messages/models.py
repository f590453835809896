"""Tables of messages."""

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
    false,
    text,
)

from services.notification_service.models import metadata
from shared.db.types import JsonDocument, UtcDateTime

# What is known of a complaint here: nothing personal. `wrapped_key` is the complaint's data key,
# made with its first intent; destroying it makes every text below unreadable (erasure). What a
# signal is about has a row of its own too: `about` says what it is, `complaint_id` is its id, here
# and below, and it has no number, customer or grade.
complaints = Table(
    "complaints",
    metadata,
    Column("complaint_id", String(36), nullable=False),
    Column("number", String(16), nullable=False),
    Column("language", String(8), nullable=False),
    Column("urgency", String(16), nullable=False),
    Column("category", String(64), nullable=False),
    Column("priority", String(16), nullable=False, server_default=""),
    Column("about", String(16), nullable=False, server_default="complaint"),
    Column("imported", Boolean, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("wrapped_key", LargeBinary, nullable=True),
    Column("customer_id", String(36), nullable=True),
    Column("region", String(64), nullable=True),
    # How many messages of a kind, counted from the first, later facts have made untrue. It stands
    # here, under the lock of planning: a message that is just being put off is not missed by it.
    Column("withdrawn", JsonDocument, nullable=True),
    PrimaryKeyConstraint("complaint_id", name="complaints_pkey"),
    Index("complaints_customer_idx", "customer_id"),
    Index("complaints_number_idx", "number"),
)

notifications = Table(
    "notifications",
    metadata,
    Column("id", String(36), nullable=False),
    Column("complaint_id", String(36), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("occurrence", Integer, nullable=False),
    Column("audience", String(16), nullable=False),
    Column("recipient", String(128), nullable=False),
    Column("route", String(48), nullable=True),
    Column("facts", JsonDocument, nullable=False),
    Column("state", String(16), nullable=False),
    Column("channel", String(16), nullable=True),
    Column("tried", JsonDocument, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("tries", Integer, nullable=False),
    # A try on the present channel ended without an answer: the gateway may have the message.
    Column("doubtful", Boolean, nullable=False, server_default=false()),
    Column("reason", String(200), nullable=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("next_attempt_at", UtcDateTime, nullable=False),
    Column("sent_at", UtcDateTime, nullable=True),
    Column("delivered_at", UtcDateTime, nullable=True),
    Column("mandatory", Boolean, nullable=False, server_default=text("false")),
    Column("proof_due_at", UtcDateTime, nullable=True),
    Column("leased_by", String(64), nullable=True),
    Column("leased_until", UtcDateTime, nullable=True),
    Column("template_version", String(16), nullable=True),
    Column("address_masked", String(128), nullable=True),
    Column("address", LargeBinary, nullable=True),
    Column("content", LargeBinary, nullable=True),
    # A keyed hash of channel, address and words: by it the same message is known again.
    Column("fingerprint", LargeBinary, nullable=True),
    # Gathered for its recipient's next digest; `digest_id` names the mail that it is or was in.
    Column("gathered", Boolean, nullable=False, server_default=false()),
    Column("digest_id", String(36), nullable=True),
    # The trace of the event that it tells of: what is said of it later belongs there.
    Column("traceparent", String(55), nullable=True),
    PrimaryKeyConstraint("id", name="notifications_pkey"),
    ForeignKeyConstraint(
        ["complaint_id"], ["complaints.complaint_id"], name="notifications_complaint_fkey"
    ),
    UniqueConstraint(
        "complaint_id", "kind", "occurrence", "recipient", name="notifications_intent_key"
    ),
    # Partial: what waits and what is under way is small however many messages there are.
    Index(
        "notifications_queued_idx",
        "next_attempt_at",
        "id",
        sqlite_where=text("state = 'queued'"),
        postgresql_where=text("state = 'queued'"),
    ),
    Index(
        "notifications_sending_idx",
        "leased_until",
        sqlite_where=text("state = 'sending'"),
        postgresql_where=text("state = 'sending'"),
    ),
    Index(
        "notifications_gathered_idx",
        "next_attempt_at",
        "id",
        sqlite_where=text("state = 'queued' AND gathered"),
        postgresql_where=text("state = 'queued' AND gathered"),
    ),
    Index(
        "notifications_proof_idx",
        "proof_due_at",
        sqlite_where=text("proof_due_at IS NOT NULL"),
        postgresql_where=text("proof_due_at IS NOT NULL"),
    ),
    Index(
        "notifications_digest_idx",
        "digest_id",
        sqlite_where=text("digest_id IS NOT NULL"),
        postgresql_where=text("digest_id IS NOT NULL"),
    ),
    Index("notifications_complaint_idx", "complaint_id", "id"),
    Index("notifications_state_idx", "state", "id"),
    Index(
        "notifications_channel_idx",
        "channel",
        "id",
        sqlite_where=text("channel IS NOT NULL"),
        postgresql_where=text("channel IS NOT NULL"),
    ),
)


# One row per time that a gateway took a message: what was handed to whom, and the receipt for it.
hand_overs = Table(
    "hand_overs",
    metadata,
    Column("id", String(36), nullable=False),
    Column("notification_id", String(36), nullable=False),
    Column("complaint_id", String(36), nullable=False),
    Column("channel", String(16), nullable=False),
    Column("gateway", String(16), nullable=False),
    Column("reference", String(128), nullable=True),
    Column("address_masked", String(128), nullable=True),
    Column("digest", String(64), nullable=True),
    Column("template", String(64), nullable=True),
    Column("handed_over_at", UtcDateTime, nullable=False),
    Column("receipt_due_at", UtcDateTime, nullable=True),
    Column("arrival", String(16), nullable=True),
    Column("receipt_id", String(36), nullable=True),
    PrimaryKeyConstraint("id", name="hand_overs_pkey"),
    ForeignKeyConstraint(
        ["notification_id"], ["notifications.id"], name="hand_overs_notification_fkey"
    ),
    Index("hand_overs_notification_idx", "notification_id", "id"),
    Index("hand_overs_reference_idx", "gateway", "reference"),
    Index(
        "hand_overs_awaited_idx",
        "receipt_due_at",
        sqlite_where=text("arrival IS NULL AND receipt_due_at IS NOT NULL"),
        postgresql_where=text("arrival IS NULL AND receipt_due_at IS NOT NULL"),
    ),
)

# What a person decided about a message that machines could not: resend it, or count it as sent.
decisions = Table(
    "decisions",
    metadata,
    Column("id", String(36), nullable=False),
    Column("notification_id", String(36), nullable=False),
    Column("action", String(16), nullable=False),
    Column("was", String(16), nullable=False),
    Column("by", String(64), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("id", name="decisions_pkey"),
    ForeignKeyConstraint(
        ["notification_id"], ["notifications.id"], name="decisions_notification_fkey"
    ),
    Index("decisions_notification_idx", "notification_id", "id"),
)
