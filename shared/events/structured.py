"""CloudEvents 1.0 in structured JSON: one document with envelope and data, for those without Kafka.

Attributes are those of the record's `ce_*` headers, so that webhooks, feed and topic say the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import orjson
from pydantic import JsonValue

from shared.events.envelope import CONTENT_TYPE, SPEC_VERSION, BrokenEnvelope, Headers

MEDIA_TYPE = "application/cloudevents+json"

LONGEST_NAME = 64
"""The longest id, type or subject that is believed; ours have at most 36 characters."""

_NAMES = ("id", "source", "type", "subject")
_TEXTS = ("time", "sequence", "dataschema")


class CloudEvent(NamedTuple):
    """One event as a document (`body`), and what must be known of it to pass it on."""

    id: str
    source: str
    type: str
    subject: str
    time: str
    data: Mapping[str, JsonValue]
    body: bytes


def to_cloud_event(headers: Headers, value: bytes) -> CloudEvent:
    """Make the document of a record; raises BrokenEnvelope saying what cannot be read.

    An event whose type is not known here passes as well: it is for others to know.
    """
    found = {name.lower(): text for name, text in headers}
    names = {name: _name(found, name) for name in _NAMES}
    texts = {name: _text(found, name) for name in _TEXTS}
    data = _data(value)
    document: dict[str, object] = {
        "specversion": SPEC_VERSION,
        **names,
        "time": texts["time"],
        "partitionkey": names["subject"],
        "sequence": texts["sequence"],
        "dataschema": texts["dataschema"],
        "datacontenttype": CONTENT_TYPE,
    }
    if "traceparent" in found:
        document["traceparent"] = _text(found, "traceparent", prefix="")
    document["data"] = orjson.Fragment(value)
    return CloudEvent(**names, time=texts["time"], data=data, body=orjson.dumps(document))


def _name(found: Mapping[str, bytes], name: str) -> str:
    text = _text(found, name)
    if not 0 < len(text) <= LONGEST_NAME:
        raise BrokenEnvelope(f"header ce_{name} has {len(text)} characters")
    return text


def _text(found: Mapping[str, bytes], name: str, prefix: str = "ce_") -> str:
    try:
        text = found[prefix + name].decode()
    except KeyError:
        raise BrokenEnvelope(f"header {prefix}{name} is missing") from None
    except UnicodeDecodeError:
        raise BrokenEnvelope(f"header {prefix}{name} is no text") from None
    if not text.isprintable():
        raise BrokenEnvelope(f"header {prefix}{name} is not printable")
    return text


def _data(value: bytes) -> Mapping[str, JsonValue]:
    try:
        data = orjson.loads(value)
    except orjson.JSONDecodeError:
        raise BrokenEnvelope("the data is no JSON") from None
    if not isinstance(data, dict):
        raise BrokenEnvelope("the data is no JSON object")
    return data
