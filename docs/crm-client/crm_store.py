"""The CRM's side: a table of complaints, kept up to date by events that may come twice."""

from __future__ import annotations

import json
import sqlite3
import threading
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS seen (
    place INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    complaint_id TEXT NOT NULL,
    source TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    type TEXT NOT NULL,
    event TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS complaints (
    complaint_id TEXT PRIMARY KEY,
    number TEXT,
    state TEXT,
    last_event TEXT NOT NULL,
    last_event_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS positions (name TEXT PRIMARY KEY, position TEXT NOT NULL);
"""


class CrmStore:
    """What the CRM knows. Threads take turns."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, check_same_thread=False)
        self._db.executescript("PRAGMA journal_mode=WAL;" + _SCHEMA)
        self._turn = threading.Lock()

    def take(self, events: list[dict[str, Any]], position: tuple[str, str] | None = None) -> int:
        """Take events in, and how far we are, in one transaction; returns how many were new."""
        with self._turn, self._db:
            new = sum(self._take(event) for event in events)
            if position is not None:
                self._db.execute("INSERT OR REPLACE INTO positions VALUES (?, ?)", position)
        return new

    def position(self, name: str) -> str | None:
        """Return how far we are, None at the first start."""
        with self._turn:
            row = self._db.execute(
                "SELECT position FROM positions WHERE name = ?", (name,)
            ).fetchone()
        return None if row is None else row[0]

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _take(self, event: dict[str, Any]) -> bool:
        # The id stays the same however often an event comes.
        stored = self._db.execute(
            "INSERT INTO seen (id, complaint_id, source, sequence, type, event)"
            " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
            (
                event["id"],
                event["subject"],
                event["source"],
                int(event["sequence"]),
                event["type"],
                json.dumps(event, ensure_ascii=False),
            ),
        )
        if stored.rowcount == 0:
            return False
        data = event["data"]
        if "complaint_id" not in data:
            return True  # a signal (a hot spot, an incident): it is about no single complaint
        # The state follows from the order within its topic. What is said of messages comes by
        # another topic, sooner or later: which was last only the times tell.
        self._db.execute(
            "INSERT INTO complaints VALUES (?, ?, ?, ?, ?) ON CONFLICT (complaint_id) DO UPDATE SET"
            " number = coalesce(excluded.number, number), state = coalesce(excluded.state, state),"
            " last_event = iif(excluded.last_event_at < last_event_at, last_event,"
            " excluded.last_event), last_event_at = max(excluded.last_event_at, last_event_at)",
            (
                event["subject"],
                data.get("number"),
                data.get("state"),
                event["type"],
                event["time"].rstrip("Z"),  # fractions differ in length: without Z they sort
            ),
        )
        return True
