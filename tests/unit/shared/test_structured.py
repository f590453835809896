"""Events as structured CloudEvents: the official SDK reads what we write."""

from __future__ import annotations

from datetime import UTC, datetime

import orjson
import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_structured
from cloudevents.core.formats.json import JSONFormat

from shared.events.envelope import BrokenEnvelope, Envelope, Headers
from shared.events.structured import MEDIA_TYPE, to_cloud_event

ENVELOPE = Envelope(
    id="01930b1c-7d7f-7a80-8000-4f2d1f6f0a11",
    source="/workflow",
    type="CaseOpened",
    version=1,
    time=datetime(2026, 11, 22, 8, 0, tzinfo=UTC),
    subject="01930b1c-7a10-7c33-9d0c-6f1b5a2e7c01",
    sequence=3,
    traceparent="00-" + "1" * 32 + "-" + "2" * 16 + "-01",
)


def test_the_official_sdk_reads_the_document() -> None:
    event = to_cloud_event(ENVELOPE.to_headers(), '{"number": "7K3F", "话": 1}'.encode())

    read = from_structured(HTTPMessage({"content-type": MEDIA_TYPE}, event.body), JSONFormat())

    assert (read.get_id(), read.get_type(), read.get_source()) == (
        ENVELOPE.id,
        "CaseOpened",
        "/workflow",
    )
    assert read.get_extension("sequence") == "3"
    assert read.get_extension("partitionkey") == ENVELOPE.subject
    assert read.get_data() == {"number": "7K3F", "话": 1}


def test_the_document_says_what_the_headers_say() -> None:
    event = to_cloud_event(ENVELOPE.to_headers(), b'{"number":"7K3F"}')

    assert orjson.loads(event.body) == {
        "specversion": "1.0",
        "id": ENVELOPE.id,
        "source": "/workflow",
        "type": "CaseOpened",
        "subject": ENVELOPE.subject,
        "time": "2026-11-22T08:00:00Z",
        "partitionkey": ENVELOPE.subject,
        "sequence": "3",
        "dataschema": "/schemas/CaseOpened/1",
        "datacontenttype": "application/json",
        "traceparent": ENVELOPE.traceparent,
        "data": {"number": "7K3F"},
    }


def test_a_type_that_is_not_known_passes() -> None:
    event = to_cloud_event(ENVELOPE._replace(type="Novelty").to_headers(), b"{}")

    assert event.type == "Novelty"


@pytest.mark.parametrize(
    ("headers", "value", "reason"),
    [
        ((), b"{}", "ce_id is missing"),
        (ENVELOPE.to_headers(), b"{", "no JSON"),
        (ENVELOPE.to_headers(), b"[]", "no JSON object"),
        (ENVELOPE._replace(subject="x" * 65).to_headers(), b"{}", "65 characters"),
        (ENVELOPE._replace(id="a\0").to_headers(), b"{}", "not printable"),
        ((*ENVELOPE.to_headers()[:-2], ("ce_type", b"\xff")), b"{}", "no text"),
    ],
)
def test_what_is_no_event_is_refused_with_its_reason(
    headers: Headers, value: bytes, reason: str
) -> None:
    with pytest.raises(BrokenEnvelope, match=reason):
        to_cloud_event(headers, value)
