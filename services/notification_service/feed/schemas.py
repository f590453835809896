"""What `/v1/events` answers."""

from __future__ import annotations

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue

_EVENT: dict[str, JsonValue] = {
    "specversion": "1.0",
    "id": "01930b1c-7d7f-7a80-8000-4f2d1f6f0a11",
    "source": "/workflow",
    "type": "CaseOpened",
    "subject": "01930b1c-7a10-7c33-9d0c-6f1b5a2e7c01",
    "time": "2026-11-22T08:00:00.120000Z",
    "partitionkey": "01930b1c-7a10-7c33-9d0c-6f1b5a2e7c01",
    "sequence": "1",
    "dataschema": "/schemas/CaseOpened/1",
    "datacontenttype": "application/json",
    "data": {
        "complaint_id": "01930b1c-7a10-7c33-9d0c-6f1b5a2e7c01",
        "number": "7K3F-9Q2M-X",
        "state": "assigned",
        "version": 1,
    },
}


class CloudEventView(BaseModel):
    """An event as CloudEvents 1.0 in structured JSON; `/schemas/…` describes its data."""

    model_config = ConfigDict(json_schema_extra={"example": _EVENT})

    specversion: str
    id: str = Field(description="the same however often the event comes")
    source: str
    type: str
    subject: str = Field(description="the complaint's id; of signals the thing's own")
    time: AwareDatetime
    partitionkey: str
    sequence: str = Field(description="decimal, dense from 1 per subject and source")
    dataschema: str
    datacontenttype: str
    traceparent: str | None = None
    data: dict[str, JsonValue]


class EventPage(BaseModel):
    """A page of the feed."""

    items: list[CloudEventView]
    cursor: str = Field(
        description="Send it as `after` to go on; an empty page keeps its own",
        examples=["AQwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAADEpWQ"],
    )
