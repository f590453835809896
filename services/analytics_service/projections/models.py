"""The tables of the DuckDB file.

No indexes, no primary keys, no ALTER: every known crash-recovery bug of DuckDB needs one of them.
A change here is a new LAYOUT, and a file of another layout is rebuilt from the log.
"""

from __future__ import annotations

from collections.abc import Mapping

from shared.events.words import ClockState

LAYOUT = 3

# One byte: what became of the clocks is counted four times as fast as from text.
CLOCK_STATE = "ENUM(" + ", ".join(f"'{state.value}'" for state in ClockState) + ")"

FACTS: Mapping[str, str] = {
    "complaint_id": "UUID",
    "number": "VARCHAR",
    "received_at": "TIMESTAMP",
    "category": "VARCHAR",
    "channel": "VARCHAR",
    "severity": "VARCHAR",
    "urgency": "VARCHAR",
    "priority": "VARCHAR",
    "tier": "VARCHAR",
    "language": "VARCHAR",
    "product": "VARCHAR",
    "region": "VARCHAR",
    "department": "VARCHAR",
    "h3": "UBIGINT",
    "motive": "VARCHAR",
    "source_system": "VARCHAR",
    "imported": "BOOLEAN",
    "state": "VARCHAR",
    "outcome": "VARCHAR",
    "escalation_level": "TINYINT",
    "reopened": "SMALLINT",
    "handovers": "SMALLINT",
    "breached": "BOOLEAN",
    "score": "TINYINT",
    "acknowledged_at": "TIMESTAMP",
    "assigned_at": "TIMESTAMP",
    "first_reply_at": "TIMESTAMP",
    "proposed_at": "TIMESTAMP",
    "resolved_at": "TIMESTAMP",
    "closed_at": "TIMESTAMP",
    "to_acknowledge": "DOUBLE",
    "to_assign": "DOUBLE",
    "to_first_reply": "DOUBLE",
    "to_propose": "DOUBLE",
    "to_resolve": "DOUBLE",
    "total": "DOUBLE",
    "to_acknowledge_band": "SMALLINT",
    "to_assign_band": "SMALLINT",
    "to_first_reply_band": "SMALLINT",
    "to_propose_band": "SMALLINT",
    "to_resolve_band": "SMALLINT",
    "total_band": "SMALLINT",
    "acknowledge_clock": CLOCK_STATE,
    "acknowledge_due_at": "TIMESTAMP",
    "assign_clock": CLOCK_STATE,
    "assign_due_at": "TIMESTAMP",
    "first_reply_clock": CLOCK_STATE,
    "first_reply_due_at": "TIMESTAMP",
    "propose_clock": CLOCK_STATE,
    "propose_due_at": "TIMESTAMP",
    "resolve_clock": CLOCK_STATE,
    "resolve_due_at": "TIMESTAMP",
    "follow_up_clock": CLOCK_STATE,
    "follow_up_due_at": "TIMESTAMP",
    "intake_sequence": "INTEGER",
    "workflow_sequence": "INTEGER",
    "notification_sequence": "INTEGER",
}
"""The columns in the order of `domain.facts.COLUMNS`; a test holds the two together."""

STAGE_CHANGES: Mapping[str, str] = {
    "complaint_id": "UUID",
    "sequence": "INTEGER",
    "at": "TIMESTAMP",
    "event": "VARCHAR",
    "from_state": "VARCHAR",
    "to_state": "VARCHAR",
    "department": "VARCHAR",
}

PARKED: Mapping[str, str] = {
    "id": "BIGINT",
    "complaint_id": "VARCHAR",
    "topic": "VARCHAR",
    "partition": "SMALLINT",
    "log_offset": "BIGINT",
    "timestamp_ms": "BIGINT",
    "headers": "VARCHAR",
    "value": "BLOB",
    "reason": "VARCHAR",
    "parked_at": "TIMESTAMP",
}
"""The columns in the order of `repository.store.ParkedEvent`."""

POSITIONS: Mapping[str, str] = {
    "topic": "VARCHAR",
    "partition": "SMALLINT",
    "next_offset": "BIGINT",
}

META: Mapping[str, str] = {"layout": "INTEGER", "as_of": "TIMESTAMP"}

TABLES: Mapping[str, Mapping[str, str]] = {
    "facts": FACTS,
    "stage_changes": STAGE_CHANGES,
    "parked": PARKED,
    "positions": POSITIONS,
    "meta": META,
}

BATCH = "changed_facts"
"""The facts of one batch on their way in: a table in memory that the UPDATE is joined with."""


def create_table(name: str, columns: Mapping[str, str], *, temporary: bool = False) -> str:
    """Return the statement that makes a table."""
    what = "TEMP TABLE" if temporary else "TABLE"
    body = ", ".join(f'"{column}" {kind}' for column, kind in columns.items())
    return f"CREATE {what} {name} ({body})"
