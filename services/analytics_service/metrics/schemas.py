"""Questions as they come in a query string, and the shapes of the answers."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer
from pydantic.config import JsonDict

from services.analytics_service.metrics.domain.dimensions import (
    Dimension,
    Interval,
    Measure,
    Stage,
    Value,
    parse_value,
)
from services.analytics_service.metrics.domain.selection import Selection
from services.analytics_service.metrics.domain.zones import YEARS, midnight
from shared.kernel.clock import from_rfc3339, to_rfc3339
from shared.kernel.errors import FieldError, InvalidInput

Instant = Annotated[datetime, PlainSerializer(to_rfc3339, return_type=str)]
Values = Annotated[list[str], Field(default_factory=list)]

GroupBy = Annotated[
    list[Dimension],
    Field(default_factory=list, description="may be repeated; without it all are one group"),
]
Measured = Annotated[
    Measure,
    Field(
        description="what is counted: all complaints, those of which a clock was ever breached,"
        " those on a higher level now, those that are resolved"
    ),
]

_FIGURES: JsonDict = {"due": 42, "met": 38, "breached": 2, "running": 2, "met_rate": 0.95}
_SCORES: JsonDict = {
    "answered": 20,
    "scores": [1, 1, 2, 6, 10],
    "mean": 4.15,
    "satisfied_rate": 0.8,
}
_WEB: JsonDict = {"key": {"channel": "web"}, **_SCORES}


class Question(BaseModel):
    """Which complaints; every filter may be repeated, and `null` stands for a missing value."""

    model_config = ConfigDict(extra="forbid")

    from_: Annotated[
        str | None,
        Field(
            alias="from",
            description="received at or after: an instant with offset, or a date in the time zone",
            examples=["2026-11-01"],
        ),
    ] = None
    to: Annotated[
        str | None, Field(description="received before (half-open)", examples=["2026-12-01"])
    ] = None
    timezone: Annotated[
        str | None,
        Field(description="IANA name; the company's by default", examples=["Asia/Shanghai"]),
    ] = None
    category: Values
    product: Values
    region: Values
    channel: Values
    department: Values
    severity: Values
    priority: Values
    tier: Values
    week: Values
    day: Values
    hour_of_week: Values

    def selection(self, default_zone: ZoneInfo) -> Selection:
        """Return the selection that is meant; raises InvalidInput naming every wrong parameter."""
        wrong: list[FieldError] = []
        zone = self._zone(default_zone, wrong)
        start = _instant("from", self.from_, zone, wrong)
        end = _instant("to", self.to, zone, wrong)
        if start is not None and end is not None and end < start:
            wrong.append(FieldError("/query/to", "backwards", "`to` lies before `from`."))
        filters = self._filters(wrong)
        if wrong:
            detail = f"{wrong[0].pointer}: {wrong[0].detail}"
            raise InvalidInput(detail if len(wrong) == 1 else "See errors.", tuple(wrong))
        return Selection(zone, start, end, filters)

    def _zone(self, default: ZoneInfo, wrong: list[FieldError]) -> ZoneInfo:
        if self.timezone is None:
            return default
        try:
            return ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            message = f"{self.timezone!r} is no IANA time zone, such as Asia/Shanghai."
            wrong.append(FieldError("/query/timezone", "unknown_timezone", message))
            return default

    def _filters(self, wrong: list[FieldError]) -> dict[Dimension, tuple[Value, ...]]:
        filters: dict[Dimension, tuple[Value, ...]] = {}
        for dimension in Dimension:
            given: list[str] = getattr(self, dimension.value)
            try:
                values = tuple(parse_value(dimension, text) for text in given)
            except ValueError as reason:
                wrong.append(FieldError(f"/query/{dimension}", "invalid_value", f"{reason}."))
                continue
            if values:
                filters[dimension] = values
        return filters


class HeatmapQuestion(Question):
    """Two dimensions and what to count."""

    rows: Annotated[Dimension, Field(description="what each row is")] = Dimension.CATEGORY
    columns: Annotated[Dimension, Field(description="what each column is")] = Dimension.REGION
    measure: Measured = Measure.COUNT


class GeoQuestion(Question):
    """How coarse the cells shall be; complaints are placed at resolution 7."""

    resolution: Annotated[
        int, Field(ge=0, le=7, description="of H3: cells of about 5 km² at 7, 36 at 6, 253 at 5")
    ] = 6


class TimesQuestion(Question):
    """Which stages, by which dimensions."""

    group_by: GroupBy
    stage: Annotated[
        list[Stage],
        Field(
            default_factory=lambda: [Stage.TOTAL],
            description="may be repeated: a part of the way, from the milestone reached before it,"
            " or total, from the receipt to the last resolution",
        ),
    ]


class SlaQuestion(Question):
    """By which dimensions."""

    group_by: GroupBy


class SatisfactionQuestion(Question):
    """By which dimensions."""

    group_by: GroupBy


class TrendQuestion(Question):
    """How wide the buckets, by which dimensions, and what to count."""

    interval: Annotated[Interval, Field(description="of local time; weeks begin on Monday")] = (
        Interval.DAY
    )
    group_by: GroupBy
    measure: Measured = Measure.COUNT


Key = dict[Dimension, Value]


class Answer(BaseModel):
    """`as_of` is the time of the newest event that the figures know; null before the first."""

    as_of: Instant | None


class Heatmap(Answer):
    """`cells[i][j]` belongs to `rows[i]` and `columns[j]`."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "as_of": "2026-11-22T08:00:00Z",
                "rows": ["logistics.short", "product.quality"],
                "columns": ["CN-31", "CN-11"],
                "cells": [[12, 3], [4, 9]],
                "total": 28,
            }
        }
    )

    rows: list[Value]
    columns: list[Value]
    cells: list[list[int]]
    total: int


class Cell(BaseModel):
    """One H3 cell with its centre."""

    h3: str
    latitude: float
    longitude: float
    count: int


class Geo(Answer):
    """Complaints by place; those without one are counted apart."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "as_of": "2026-11-22T08:00:00Z",
                "cells": [
                    {"h3": "85309d37fffffff", "latitude": 31.23, "longitude": 121.47, "count": 12}
                ],
                "total": 15,
                "without_place": 3,
            }
        }
    )

    cells: list[Cell]
    total: int
    without_place: int


class TimesGroup(BaseModel):
    """How long one stage took in one group; percentiles are exact, linearly interpolated."""

    key: Key
    stage: Stage
    count: int
    mean_seconds: float | None
    p50_seconds: float | None
    p90_seconds: float | None
    p99_seconds: float | None


class ResolutionTimes(Answer):
    """One group per key and stage."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "as_of": "2026-11-22T08:00:00Z",
                "groups": [
                    {
                        "key": {"category": "logistics.short"},
                        "stage": "total",
                        "count": 42,
                        "mean_seconds": 183_600.0,
                        "p50_seconds": 151_200.0,
                        "p90_seconds": 345_600.0,
                        "p99_seconds": 590_400.0,
                    }
                ],
            }
        }
    )

    groups: list[TimesGroup]


class ClockFigures(BaseModel):
    """`due` = met + breached + running (paused ones run); `met_rate` = met / (met + breached)."""

    due: int
    met: int
    breached: int
    running: int
    met_rate: float | None


class SlaGroup(BaseModel):
    """The clocks of one group, by kind."""

    key: Key
    clocks: dict[str, ClockFigures]


class Sla(Answer):
    """The clocks of all complaints selected, by kind, and of each group."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "as_of": "2026-11-22T08:00:00Z",
                "clocks": {"resolve": _FIGURES},
                "groups": [{"key": {"department": "logistics"}, "clocks": {"resolve": _FIGURES}}],
            }
        }
    )

    clocks: dict[str, ClockFigures]
    groups: list[SlaGroup]


class Scores(BaseModel):
    """What customers said after a resolution, by survey or in a call.

    `scores[0]` gave 1 (very dissatisfied), `scores[4]` gave 5. `satisfied_rate` is the share of 4
    and 5; without an answer both figures are null.
    """

    answered: int
    scores: list[int]
    mean: float | None
    satisfied_rate: float | None


class SatisfactionGroup(Scores):
    """The answers of one group."""

    key: Key


class Satisfaction(Answer):
    """The answers about all complaints selected, and of each group that has any."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "as_of": "2026-11-22T08:00:00Z",
                "total": _SCORES,
                "groups": [_WEB],
            }
        }
    )

    total: Scores
    groups: list[SatisfactionGroup]


class Bucket(BaseModel):
    """`start` is the local date a bucket begins with."""

    start: date
    count: int


class TrendGroup(BaseModel):
    """The buckets of one group, as many and at the same places as the total's."""

    key: Key
    buckets: list[Bucket]


class Trend(Answer):
    """Buckets without holes, of all complaints selected and of each group."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "as_of": "2026-11-22T08:00:00Z",
                "interval": "day",
                "buckets": [
                    {"start": "2026-11-21", "count": 7},
                    {"start": "2026-11-22", "count": 4},
                ],
                "groups": [],
            }
        }
    )

    interval: Interval
    buckets: list[Bucket]
    groups: list[TrendGroup]


def _instant(
    name: str, text: str | None, zone: ZoneInfo, wrong: list[FieldError]
) -> datetime | None:
    if text is None or not text.strip():
        return None
    found: datetime | None = None
    # Whether it is read as a day or as an instant, what is no date is told below.
    with suppress(ValueError, OverflowError):
        found = _read(text, zone)
    if found is None:
        message = (
            "must be a date such as 2026-11-23, or an instant with an offset (Z or +08:00), "
            f"in the years {YEARS.start} to {YEARS.stop - 1}."
        )
        wrong.append(FieldError(f"/query/{name}", "invalid_instant", message))
    return found


def _read(text: str, zone: ZoneInfo) -> datetime | None:
    if len(text) == 10:
        day = date.fromisoformat(text)
        return midnight(day, zone) if day.year in YEARS else None
    # A `+` that nobody escaped arrives as a space.
    found = from_rfc3339(text.replace(" ", "+")).astimezone(UTC).replace(tzinfo=None)
    return found if found.year in YEARS else None
