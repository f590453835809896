"""The questions that can be asked of the facts: each loads, arranges, answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

import h3

from services.analytics_service.metrics import schemas
from services.analytics_service.metrics.domain.dimensions import (
    Dimension,
    Interval,
    Measure,
    Value,
    sort_values,
)
from services.analytics_service.metrics.domain.selection import Selection
from services.analytics_service.metrics.domain.zones import local_day
from services.analytics_service.metrics.repository import ClockCounts, Facts, Times
from services.analytics_service.projections.domain.facts import CLOCK_KINDS
from services.analytics_service.projections.repository.serving import Reading, Serving
from shared.kernel.errors import FieldError, InvalidInput

_PERCENTILES = (0.5, 0.9, 0.99)
_MOST_CELLS = 1_000_000
_MOST_BUCKETS = 40_000

Q = TypeVar("Q", bound=schemas.Question)


class TooFine(InvalidInput):
    """The answer would be too large to be of use to anybody."""


class Metrics:
    """Answers questions from the served facts."""

    def __init__(self, serving: Serving, zone: ZoneInfo) -> None:
        self._serving = serving
        self.zone = zone

    async def heatmap(self, question: schemas.HeatmapQuestion) -> schemas.Heatmap:
        """Count by two dimensions; every combination of the values found has a cell."""
        selection = question.selection(self.zone)
        return await self._serving.read(lambda r: _heatmap(r, selection, question))

    async def geo(self, question: schemas.GeoQuestion) -> schemas.Geo:
        """Count by H3 cell."""
        selection = question.selection(self.zone)
        return await self._serving.read(lambda r: geo(r, selection, question.resolution))

    async def resolution_times(self, question: schemas.TimesQuestion) -> schemas.ResolutionTimes:
        """Tell how long stages took."""
        selection = question.selection(self.zone)
        return await self._serving.read(lambda r: _times(r, selection, question))

    async def sla(self, question: schemas.SlaQuestion) -> schemas.Sla:
        """Tell what became of the clocks."""
        selection = question.selection(self.zone)
        return await self._serving.read(lambda r: _sla(r, selection, question))

    async def satisfaction(self, question: schemas.SatisfactionQuestion) -> schemas.Satisfaction:
        """Tell how satisfied customers were."""
        selection = question.selection(self.zone)
        return await self._serving.read(lambda r: _satisfaction(r, selection, question))

    async def trend(self, question: schemas.TrendQuestion) -> schemas.Trend:
        """Count by the day, week or month of reception."""
        selection = question.selection(self.zone)
        return await self._serving.read(
            lambda r: trend(r, selection, question.interval, question.measure, question.group_by)
        )


def _heatmap(
    reading: Reading, selection: Selection, question: schemas.HeatmapQuestion
) -> schemas.Heatmap:
    dimensions = (question.rows, question.columns)
    found = dict(Facts(reading, selection).cells(dimensions, question.measure))
    rows = sort_values(question.rows, {row for row, _ in found})
    columns = sort_values(question.columns, {column for _, column in found})
    if len(rows) * len(columns) > _MOST_CELLS:
        detail = f"{len(rows)} rows and {len(columns)} columns are too many; filter or group less."
        raise TooFine(detail, (FieldError("/query/columns", "too_many", detail),))
    return schemas.Heatmap(
        as_of=reading.as_of,
        rows=rows,
        columns=columns,
        cells=[[found.get((row, column), 0) for column in columns] for row in rows],
        total=sum(found.values()),
    )


def geo(reading: Reading, selection: Selection, resolution: int) -> schemas.Geo:
    """Count by H3 cell of a resolution, the largest count first."""
    found = Facts(reading, selection).places(resolution)
    cells = []
    for place, count in sorted(found, key=lambda each: (-each[1], each[0] or 0)):
        if place is not None:
            name = h3.int_to_str(place)
            latitude, longitude = h3.cell_to_latlng(name)
            cells.append(
                schemas.Cell(
                    h3=name, latitude=round(latitude, 6), longitude=round(longitude, 6), count=count
                )
            )
    total = sum(count for _, count in found)
    without = sum(count for place, count in found if place is None)
    return schemas.Geo(as_of=reading.as_of, cells=cells, total=total, without_place=without)


def _times(
    reading: Reading, selection: Selection, question: schemas.TimesQuestion
) -> schemas.ResolutionTimes:
    stages = list(dict.fromkeys(question.stage))
    found = Facts(reading, selection).times(stages, question.group_by, _PERCENTILES)
    by_place = {(each.stage, each.key): each for each in found}
    keys = _sorted_keys(question.group_by, list({each.key for each in found}))
    groups = [
        _times_group(times, question.group_by)
        for stage in stages
        for key in keys
        # A group in which nothing has a time is left out; the whole is told even when empty.
        if (times := by_place.get((stage, key))) and (times.count or not question.group_by)
    ]
    return schemas.ResolutionTimes(as_of=reading.as_of, groups=groups)


def _times_group(times: Times, dimensions: Sequence[Dimension]) -> schemas.TimesGroup:
    p50, p90, p99 = times.percentiles
    return schemas.TimesGroup(
        key=_named(dimensions, times.key),
        stage=times.stage,
        count=times.count,
        mean_seconds=times.mean,
        p50_seconds=p50,
        p90_seconds=p90,
        p99_seconds=p99,
    )


def _sla(reading: Reading, selection: Selection, question: schemas.SlaQuestion) -> schemas.Sla:
    by_key = Facts(reading, selection).clocks(question.group_by)
    groups = [
        schemas.SlaGroup(
            key=_named(question.group_by, key),
            clocks={kind: _figures([counts]) for kind, counts in by_key[key].items()},
        )
        for key in _sorted_keys(question.group_by, list(by_key))
    ]
    total = {kind: _figures([counts[kind] for counts in by_key.values()]) for kind in CLOCK_KINDS}
    return schemas.Sla(
        as_of=reading.as_of, clocks=total, groups=groups if question.group_by else []
    )


def _figures(counts: Sequence[ClockCounts]) -> schemas.ClockFigures:
    met = sum(each.met for each in counts)
    breached = sum(each.breached for each in counts)
    running = sum(each.running for each in counts)
    judged = met + breached
    return schemas.ClockFigures(
        due=judged + running,
        met=met,
        breached=breached,
        running=running,
        met_rate=met / judged if judged else None,
    )


def _satisfaction(
    reading: Reading, selection: Selection, question: schemas.SatisfactionQuestion
) -> schemas.Satisfaction:
    by_key = Facts(reading, selection).scores(question.group_by)
    groups = [
        schemas.SatisfactionGroup(
            key=_named(question.group_by, key), **_scores([by_key[key]]).model_dump()
        )
        for key in _sorted_keys(question.group_by, list(by_key))
        if question.group_by
    ]
    return schemas.Satisfaction(
        as_of=reading.as_of, total=_scores(list(by_key.values())), groups=groups
    )


def _scores(counts: Sequence[Mapping[int, int]]) -> schemas.Scores:
    scores = [sum(each.get(score, 0) for each in counts) for score in range(1, 6)]
    answered = sum(scores)
    points = sum(score * count for score, count in enumerate(scores, start=1))
    return schemas.Scores(
        answered=answered,
        scores=scores,
        mean=points / answered if answered else None,
        satisfied_rate=sum(scores[3:]) / answered if answered else None,
    )


def trend(
    reading: Reading,
    selection: Selection,
    interval: Interval,
    measure: Measure,
    group_by: Sequence[Dimension] = (),
) -> schemas.Trend:
    """Count by bucket and group; a bucket in which nothing came is there with 0."""
    facts = Facts(reading, selection)
    starts = _starts(facts, selection, interval)
    counts: dict[tuple[Value, ...], dict[date, int]] = {}
    total: dict[date, int] = {}
    for start, key, count in facts.buckets(interval, measure, group_by) if starts else ():
        counts.setdefault(key, {})[start] = count
        total[start] = total.get(start, 0) + count
    if group_by and len(counts) * len(starts) > _MOST_CELLS:
        detail = f"{len(counts)} groups of {len(starts)} buckets are too many; group less."
        raise TooFine(detail, (FieldError("/query/group_by", "too_many", detail),))
    groups = [
        schemas.TrendGroup(key=_named(group_by, key), buckets=_filled(starts, counts[key]))
        for key in _sorted_keys(group_by, list(counts))
        if group_by
    ]
    return schemas.Trend(
        as_of=reading.as_of, interval=interval, buckets=_filled(starts, total), groups=groups
    )


def _filled(starts: Sequence[date], counts: dict[date, int]) -> list[schemas.Bucket]:
    return [schemas.Bucket(start=start, count=counts.get(start, 0)) for start in starts]


def _starts(facts: Facts, selection: Selection, interval: Interval) -> list[date]:
    """Return the beginning of every bucket: of the range asked for, else of what is there."""
    start, end = selection.start, selection.end
    if start is None or end is None:
        span = facts.span()
        if span is None:
            return []
        start, end = start or span[0], end or span[1] + timedelta(microseconds=1)
    if end <= start:
        return []
    last = local_day(end - timedelta(microseconds=1), selection.zone)
    starts = []
    for day in _from(local_day(start, selection.zone), interval):
        if day > last:
            break
        starts.append(day)
        if len(starts) > _MOST_BUCKETS:
            detail = f"more than {_MOST_BUCKETS} buckets; take a wider interval."
            raise TooFine(detail, (FieldError("/query/interval", "too_many", detail),))
    return starts


def _from(day: date, interval: Interval) -> Iterator[date]:
    if interval is Interval.WEEK:
        day -= timedelta(days=day.weekday())
    elif interval is Interval.MONTH:
        day = day.replace(day=1)
    while True:
        yield day
        if interval is Interval.MONTH:
            day = (day + timedelta(days=32)).replace(day=1)
        else:
            day += timedelta(days=7 if interval is Interval.WEEK else 1)


def _named(dimensions: Sequence[Dimension], key: Sequence[Value]) -> schemas.Key:
    return dict(zip(dimensions, key, strict=True))


def _sorted_keys(
    dimensions: Sequence[Dimension], keys: list[tuple[Value, ...]]
) -> list[tuple[Value, ...]]:
    ranks = [
        {value: rank for rank, value in enumerate(sort_values(each, {key[i] for key in keys}))}
        for i, each in enumerate(dimensions)
    ]
    return sorted(keys, key=lambda key: [ranks[i][value] for i, value in enumerate(key)])
