"""Where the complaints behind a signal are listed: an address of analytics' dashboard."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from pydantic import JsonValue

_LIST = "/dashboard/complaints"


def list_behind(facts: Mapping[str, JsonValue], category: str, zone: ZoneInfo) -> str:
    """Return the path of the list: what the complaints have in common, on the days of the signal.

    Days are the company's, the last one not included; without days the dashboard chooses. A
    department is left out: it says who sees to them, and not every complaint is with it yet.
    """
    since, until = (_day(facts.get(name), zone) for name in ("since", "until"))
    pairs: list[tuple[str, str]] = []
    if since is not None and until is not None:
        after = (until + timedelta(days=1)).date().isoformat()
        pairs = [("period", "custom"), ("from", since.date().isoformat()), ("to", after)]
    if category:
        pairs.append(("category", category))
    pairs += [(name, str(facts[name])) for name in ("product", "region") if facts.get(name)]
    return f"{_LIST}?{urlencode(pairs)}" if pairs else _LIST


def _day(given: JsonValue, zone: ZoneInfo) -> datetime | None:
    return datetime.fromisoformat(given).astimezone(zone) if isinstance(given, str) else None
