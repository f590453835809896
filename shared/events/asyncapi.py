"""The contract of the log as an AsyncAPI 3.0 document, made from the registry: it cannot drift."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import models_json_schema

from shared.events import topics
from shared.events.base import EventData
from shared.events.envelope import CONTENT_TYPE, SPEC_VERSION
from shared.events.registry import EVENT_TYPES

Document = dict[str, Any]

_CHANNELS = {
    topics.COMPLAINTS: "Every fact about a complaint, in order, keyed by complaint id.",
    topics.NOTIFICATIONS: "What became of each message, keyed by complaint id.",
    topics.SIGNALS: "Hot spots and incidents, keyed by the thing's own id.",
    topics.DEAD_LETTERS: "Records that a service could not handle, as they were, and why.",
}
_DESCRIPTION = (
    "CloudEvents 1.0 in binary mode. Facts about one subject lie in one partition, in order: a "
    "complaint, or what a signal is about. "
    "`ce_sequence` is dense from 1 per subject and source, so a reader drops what it has seen "
    "and notices a gap. Delivery is at least once. Ignore fields and types you do not know. "
    "There is no personal data in any event: ask the service that owns it, by id."
)


def document() -> Document:
    """Return the document; a new one each time."""
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Redress events", "version": "1.0.0", "description": _DESCRIPTION},
        "defaultContentType": CONTENT_TYPE,
        "channels": {_channel_id(topic): _channel(topic) for topic in topics.ALL},
        "operations": {f"read.{_channel_id(topic)}": _operation(topic) for topic in topics.ALL},
        "components": {"messages": _messages(), "schemas": _schemas()},
    }


def _channel_id(topic: str) -> str:
    """AsyncAPI keys may hold no dot: `redress.dead-letters.v1` → `dead-letters`."""
    return topic.split(".")[1]


def _message_id(model: type[EventData]) -> str:
    return f"{model.__name__}.{model.schema_version}"


def _channel(topic: str) -> Document:
    messages = {
        _message_id(model): {"$ref": f"#/components/messages/{_message_id(model)}"}
        for model in EVENT_TYPES
        if model.topic == topic
    }
    if topic == topics.DEAD_LETTERS:
        messages = {"DeadLetter": {"$ref": "#/components/messages/DeadLetter"}}
    return {
        "address": topic,
        "description": _CHANNELS[topic],
        "messages": messages,
        "bindings": {"kafka": {"topic": topic, "partitions": topics.PARTITIONS}},
    }


def _operation(topic: str) -> Document:
    """Describe what a subscriber does; only our own services publish."""
    return {
        "action": "receive",
        "channel": {"$ref": f"#/channels/{_channel_id(topic)}"},
        "summary": f"Read {topic}",
    }


def _messages() -> Document:
    return {_message_id(model): _message(model) for model in EVENT_TYPES} | {
        "DeadLetter": {
            "name": "DeadLetter",
            "summary": "A record as it was; its headers say why and where it came from.",
            "headers": {"$ref": "#/components/schemas/DeadLetterHeaders"},
            "payload": {},
        }
    }


def _message(model: type[EventData]) -> Document:
    return {
        "name": model.__name__,
        "title": model.__name__,
        "summary": (model.__doc__ or "").strip(),
        "contentType": CONTENT_TYPE,
        "headers": {
            "allOf": [
                {"$ref": "#/components/schemas/CloudEventHeaders"},
                {
                    "type": "object",
                    "properties": {
                        "ce_type": {"const": model.__name__},
                        "ce_source": {"const": model.source.value},
                        "ce_dataschema": {
                            "const": f"/schemas/{model.__name__}/{model.schema_version}"
                        },
                    },
                },
            ]
        },
        "payload": {"$ref": f"#/components/schemas/{model.__name__}"},
        "bindings": {"kafka": {"key": {"type": "string", "description": "The subject's id."}}},
    }


def _schemas() -> Document:
    _models, generated = models_json_schema(
        [(model, "validation") for model in EVENT_TYPES],
        ref_template="#/components/schemas/{model}",
    )
    schemas: Document = generated["$defs"]
    return schemas | {
        "CloudEventHeaders": _cloud_event_headers(),
        "DeadLetterHeaders": _dead_letter_headers(),
    }


def _cloud_event_headers() -> Document:
    text = {"type": "string"}
    return {
        "type": "object",
        "required": [
            "ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "ce_subject",
            "ce_partitionkey", "ce_sequence", "ce_dataschema", "content-type",
        ],
        "properties": {
            "ce_specversion": {"const": SPEC_VERSION},
            "ce_id": text | {"description": "A UUIDv7, unique to the event."},
            "ce_source": text | {"description": "The service that says it."},
            "ce_type": text,
            "ce_time": text | {"format": "date-time", "description": "When it happened, UTC."},
            "ce_subject": text | {"description": "The complaint's id; a signal's own id."},
            "ce_partitionkey": text | {"description": "The key of the record: the subject."},
            "ce_sequence": text
            | {"pattern": "^[1-9][0-9]*$", "description": "Dense from 1 per subject and source."},
            "ce_dataschema": text | {"description": "The path of the data's JSON Schema."},
            "content-type": {"const": CONTENT_TYPE},
            "traceparent": text | {"description": "W3C trace context, where there is one."},
        },
    }  # fmt: skip


def _dead_letter_headers() -> Document:
    text = {"type": "string"}
    return {
        "type": "object",
        "required": ["redress-reason", "redress-state", "redress-group", "redress-position"],
        "properties": {
            "redress-reason": text | {"description": "Why it could not be handled."},
            "redress-state": {"enum": ["parked", "dead"]},
            "redress-group": text | {"description": "The consumer group that gave up."},
            "redress-position": text | {"description": "topic/partition/offset of the original."},
        },
    }
