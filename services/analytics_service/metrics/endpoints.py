"""The paths under `/v1/analytics`: JSON, and CSV or GeoJSON where the caller likes it better."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any, TypeVar

import h3
import orjson
from fastapi import APIRouter, Depends, Query, Request, Response

from services.analytics_service.metrics import schemas
from services.analytics_service.metrics.domain.tables import Row, to_csv
from services.analytics_service.metrics.service import Metrics
from shared.http.auth import Scope, requires
from shared.http.negotiation import preferred
from shared.kernel.clock import to_rfc3339

JSON = "application/json"
CSV = "text/csv"
GEOJSON = "application/geo+json"

A = TypeVar("A", bound=schemas.Answer)
Table = tuple[Sequence[str], Iterable[Row]]

_FORMS: dict[int | str, dict[str, Any]] = {200: {"content": {CSV: {"schema": {"type": "string"}}}}}


def router(metrics: Metrics) -> APIRouter:
    """Make the paths of the figures."""
    routes = APIRouter(
        prefix="/v1/analytics",
        tags=["analytics"],
        dependencies=[Depends(requires(Scope.ANALYTICS_READ))],
    )

    @routes.get("/heatmap", response_model=schemas.Heatmap, responses=_FORMS)
    async def heatmap(
        request: Request, question: Annotated[schemas.HeatmapQuestion, Query()]
    ) -> Response:
        """Count complaints by two dimensions."""
        answer = await metrics.heatmap(question)
        return _respond(request, answer, lambda: _heatmap_table(answer, question))

    @routes.get(
        "/geo",
        response_model=schemas.Geo,
        responses={200: {"content": {GEOJSON: {}, CSV: {}}}},
    )
    async def geo(request: Request, question: Annotated[schemas.GeoQuestion, Query()]) -> Response:
        """Count complaints by place."""
        answer = await metrics.geo(question)
        if preferred(request.headers.get("accept", ""), (JSON, GEOJSON, CSV)) == GEOJSON:
            return Response(orjson.dumps(_features(answer)), media_type=GEOJSON)
        return _respond(request, answer, lambda: _geo_table(answer))

    @routes.get("/resolution-times", response_model=schemas.ResolutionTimes, responses=_FORMS)
    async def resolution_times(
        request: Request, question: Annotated[schemas.TimesQuestion, Query()]
    ) -> Response:
        """Tell how long stages took: count, mean and exact percentiles."""
        answer = await metrics.resolution_times(question)
        return _respond(request, answer, lambda: _times_table(answer, question))

    @routes.get("/sla", response_model=schemas.Sla, responses=_FORMS)
    async def sla(request: Request, question: Annotated[schemas.SlaQuestion, Query()]) -> Response:
        """Tell what became of the clocks: due, met, breached, running."""
        answer = await metrics.sla(question)
        return _respond(request, answer, lambda: _sla_table(answer, question))

    @routes.get("/satisfaction", response_model=schemas.Satisfaction, responses=_FORMS)
    async def satisfaction(
        request: Request, question: Annotated[schemas.SatisfactionQuestion, Query()]
    ) -> Response:
        """Tell how satisfied customers were after the resolution: answers, mean, distribution."""
        answer = await metrics.satisfaction(question)
        return _respond(request, answer, lambda: _satisfaction_table(answer, question))

    @routes.get("/trend", response_model=schemas.Trend, responses=_FORMS)
    async def trend(
        request: Request, question: Annotated[schemas.TrendQuestion, Query()]
    ) -> Response:
        """Count complaints over time, without holes."""
        answer = await metrics.trend(question)
        return _respond(request, answer, lambda: _trend_table(answer, question))

    return routes


def _respond(request: Request, answer: A, table: Callable[[], Table]) -> Response:
    headers = {"Vary": "Accept"}
    if answer.as_of is not None:
        headers["X-As-Of"] = to_rfc3339(answer.as_of)
    if preferred(request.headers.get("accept", ""), (JSON, CSV)) == CSV:
        name = request.url.path.rpartition("/")[2]
        headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
        return Response(to_csv(*table()), media_type=CSV, headers=headers)
    return Response(answer.model_dump_json(), media_type=JSON, headers=headers)


def _heatmap_table(answer: schemas.Heatmap, question: schemas.HeatmapQuestion) -> Table:
    header = (question.rows, question.columns, question.measure)
    rows = (
        (row, column, count)
        for row, counts in zip(answer.rows, answer.cells, strict=True)
        for column, count in zip(answer.columns, counts, strict=True)
    )
    return header, rows


def _geo_table(answer: schemas.Geo) -> Table:
    rows: list[Row] = [(c.h3, c.latitude, c.longitude, c.count) for c in answer.cells]
    return ("h3", "latitude", "longitude", "count"), [
        *rows,
        (None, None, None, answer.without_place),
    ]


def _times_table(answer: schemas.ResolutionTimes, question: schemas.TimesQuestion) -> Table:
    figures = ("count", "mean_seconds", "p50_seconds", "p90_seconds", "p99_seconds")
    rows = (
        (*group.key.values(), group.stage, *(getattr(group, name) for name in figures))
        for group in answer.groups
    )
    return (*question.group_by, "stage", *figures), rows


def _sla_table(answer: schemas.Sla, question: schemas.SlaQuestion) -> Table:
    figures = ("due", "met", "breached", "running", "met_rate")
    whole = [schemas.SlaGroup(key={}, clocks=answer.clocks)]
    groups = answer.groups if question.group_by else whole
    rows = (
        (*group.key.values(), kind, *(getattr(clock, name) for name in figures))
        for group in groups
        for kind, clock in group.clocks.items()
    )
    return (*question.group_by, "clock", *figures), rows


def _satisfaction_table(
    answer: schemas.Satisfaction, question: schemas.SatisfactionQuestion
) -> Table:
    keyed: list[tuple[Row, schemas.Scores]] = [
        (tuple(group.key.values()), group) for group in answer.groups
    ]
    if not question.group_by:
        keyed = [((), answer.total)]
    rows = (
        (*key, found.answered, *found.scores, found.mean, found.satisfied_rate)
        for key, found in keyed
    )
    gave = tuple(f"gave_{score}" for score in range(1, 6))
    return (*question.group_by, "answered", *gave, "mean", "satisfied_rate"), rows


def _trend_table(answer: schemas.Trend, question: schemas.TrendQuestion) -> Table:
    whole = [schemas.TrendGroup(key={}, buckets=answer.buckets)]
    groups = answer.groups if question.group_by else whole
    rows = (
        (bucket.start, *group.key.values(), bucket.count)
        for group in groups
        for bucket in group.buckets
    )
    return ("start", *question.group_by, question.measure), rows


def _features(answer: schemas.Geo) -> dict[str, object]:
    """Write cells as GeoJSON polygons (RFC 7946: longitude first, rings closed)."""
    features = []
    for cell in answer.cells:
        ring = [(longitude, latitude) for latitude, longitude in h3.cell_to_boundary(cell.h3)]
        features.append(
            {
                "type": "Feature",
                "id": cell.h3,
                "geometry": {"type": "Polygon", "coordinates": [[*ring, ring[0]]]},
                "properties": cell.model_dump(),
            }
        )
    return {
        "type": "FeatureCollection",
        "features": features,
        "total": answer.total,
        "without_place": answer.without_place,
        "as_of": to_rfc3339(answer.as_of) if answer.as_of else None,
    }
