"""The event contract over HTTP: `/asyncapi.json` and the JSON Schema of each event."""

from __future__ import annotations

from functools import cache

import orjson
from fastapi import APIRouter, Response

from shared.events.asyncapi import document
from shared.events.registry import REGISTRY
from shared.kernel.errors import NotFound

_SCHEMA_TYPE = "application/schema+json"


class UnknownSchema(NotFound):
    """There is no event of this type and version."""

    code = "unknown-schema"
    title = "There is no such event"


def router() -> APIRouter:
    """Make the paths of the event contract."""
    routes = APIRouter(tags=["events"])

    @routes.get("/asyncapi.json", response_class=Response)
    async def asyncapi_document() -> Response:
        """Give the event contract as AsyncAPI 3, generated from the registry."""
        return Response(_asyncapi(), media_type="application/json")

    @routes.get("/schemas/{event_type}/{version}", response_class=Response)
    async def event_schema(event_type: str, version: int) -> Response:
        """Give the JSON Schema of one version of one event's data."""
        return Response(_schema(event_type, version), media_type=_SCHEMA_TYPE)

    return routes


@cache
def _schema(event_type: str, version: int) -> bytes:
    model = REGISTRY.get((event_type, version))
    if model is None:
        raise UnknownSchema(f"No event {event_type} of version {version}; see /asyncapi.json.")
    return orjson.dumps(model.model_json_schema())


@cache
def _asyncapi() -> bytes:
    return orjson.dumps(document())
