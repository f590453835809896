"""Addresses of dashboard pages: the whole view lies in them, so that a link can be sent."""

from __future__ import annotations

from urllib.parse import urlencode

from services.analytics_service.dashboard.schemas import ListView, View
from services.analytics_service.metrics.domain.dimensions import Dimension

BOARD = "/dashboard"
COMPLAINTS = "/dashboard/complaints"

Pairs = list[tuple[str, str]]
Filters = dict[str, str | None]
"""Values to filter by; None stands for the missing value, `null` in an address."""


def base(view: View) -> Pairs:
    """Return what every link of a page carries on: period and filters."""
    pairs: Pairs = []
    if view.period:
        pairs.append(("period", view.period))
    for name, text in (("from", view.from_), ("to", view.to)):
        if text:
            pairs.append((name, text))
    for dimension in Dimension:
        values: list[str] = getattr(view, dimension.value)
        pairs.extend((dimension.value, value) for value in values)
    return pairs


def heat(view: View) -> Pairs:
    """Return the choices of the heat map."""
    return [("rows", view.rows), ("columns", view.columns), ("measure", view.measure)]


def board(view: View, **filters: str | None) -> str:
    """Return the dashboard's address with some filters set anew."""
    return _join(BOARD, _filtered(base(view) + heat(view), filters))


def figure(view: View, name: str) -> str:
    """Return the address of a figure as CSV."""
    return _join(f"{BOARD}/{name}.csv", base(view) + heat(view))


def complaints(view: View, *, extra: Pairs | None = None, **filters: str | None) -> str:
    """Return the list behind a figure: the page's selection, narrowed by filters."""
    return _join(COMPLAINTS, _filtered(base(view), filters) + (extra or []))


def between(view: View, start: str, end: str, *, extra: Pairs | None = None) -> str:
    """Return the list of complaints received from one day to another (not included)."""
    kept = [(n, v) for n, v in base(view) if n not in ("period", "from", "to")]
    days = [("period", "custom"), ("from", start), ("to", end)]
    return _join(COMPLAINTS, [*days, *kept, *(extra or [])])


def page(view: ListView, **changes: object) -> str:
    """Return the address of the same list with another page, order or status."""
    state: dict[str, object] = {
        "status": view.status,
        "cell": view.cell,
        "sort": view.sort,
        "page": view.page,
    }
    state.update(changes)
    pairs = [(name, str(value)) for name, value in state.items() if value not in ("", None)]
    return _join(COMPLAINTS, base(view) + pairs)


def without(view: View, dimension: str, value: str, path: str) -> str:
    """Return an address with one filter taken away."""
    return _join(path, [pair for pair in base(view) if pair != (dimension, value)])


def _filtered(pairs: Pairs, filters: Filters) -> Pairs:
    kept = [pair for pair in pairs if pair[0] not in filters]
    return kept + [(n, "null" if v is None else v) for n, v in filters.items()]


def _join(path: str, pairs: Pairs) -> str:
    return f"{path}?{urlencode(pairs)}" if pairs else path
