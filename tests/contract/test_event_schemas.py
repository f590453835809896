"""What the events promise: golden schemas, the AsyncAPI document, CloudEvents."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import orjson
import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary, to_binary
from cloudevents.core.formats.json import JSONFormat
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from shared.bus.headers import unpack
from shared.events import topics
from shared.events.asyncapi import document
from shared.events.base import EventData
from shared.events.cases import InvestigationStarted, SolutionProposed
from shared.events.envelope import BrokenEnvelope, Envelope
from shared.events.golden import complaints_about, golden_schemas, schema_of, write
from shared.events.golden.compatibility import incompatibilities
from shared.events.registry import EVENT_TYPES
from shared.messaging import outbox_row
from tests.contract.messaging_kit import detected

Schema = dict[str, Any]


def test_every_event_is_as_it_was_promised() -> None:
    assert list(complaints_about()) == []


def test_every_promise_is_a_valid_schema() -> None:
    for schema in golden_schemas().values():
        Draft202012Validator.check_schema(schema)


def changed_schema(model: type[EventData] = SolutionProposed) -> Schema:
    return copy.deepcopy(dict(schema_of(model)))


def test_an_optional_field_may_be_added() -> None:
    new = changed_schema()
    new["properties"]["mood"] = {"type": "string", "default": "fine"}

    assert list(incompatibilities(schema_of(SolutionProposed), new)) == []


def test_words_may_be_mended() -> None:
    new = changed_schema()
    new["properties"]["round"]["description"] = "which round of talks"

    assert list(incompatibilities(schema_of(SolutionProposed), new)) == []


def test_a_field_may_not_go() -> None:
    new = changed_schema()
    del new["properties"]["final"]

    assert list(incompatibilities(schema_of(SolutionProposed), new)) == [
        "the data: field final is gone"
    ]


def test_a_new_field_needs_a_default() -> None:
    new = changed_schema()
    new["properties"]["mood"] = {"type": "string"}
    new["required"].append("mood")

    assert list(incompatibilities(schema_of(SolutionProposed), new)) == [
        "the data: the new field mood has no default"
    ]


def test_a_field_may_not_change_its_type() -> None:
    new = changed_schema()
    new["properties"]["round"]["type"] = "string"

    assert list(incompatibilities(schema_of(SolutionProposed), new)) == [
        "the data.round: type was 'integer' and is 'string'"
    ]


@pytest.mark.parametrize(("name", "became"), [("round", "optional"), ("final", "required")])
def test_a_field_may_not_begin_or_cease_to_be_required(name: str, became: str) -> None:
    new = changed_schema()
    required = set(new["required"]) ^ {name}
    new["required"] = sorted(required)

    assert list(incompatibilities(schema_of(SolutionProposed), new)) == [
        f"the data: field {name} became {became}"
    ]


def test_what_is_nested_is_promised_too() -> None:
    new = changed_schema()
    del new["$defs"]["Money"]["properties"]["currency"]

    (reason,) = incompatibilities(schema_of(SolutionProposed), new)
    assert "currency is gone" in reason


def test_a_promise_that_cannot_be_kept_is_not_overwritten(tmp_path: Path) -> None:
    write(tmp_path)
    path = tmp_path / "InvestigationStarted.1.json"
    promised = changed_schema(InvestigationStarted)
    promised["properties"]["mood"] = {"type": "string"}
    path.write_bytes(orjson.dumps(promised))

    written, refused = write(tmp_path)

    assert written == []
    assert refused == ["InvestigationStarted 1: the data: field mood is gone"]
    assert orjson.loads(path.read_bytes()) == promised


def test_a_promised_event_may_not_go(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "Rumoured.1.json").write_bytes(b"{}")

    assert list(complaints_about(tmp_path)) == ["Rumoured 1: was promised and is gone"]


def test_the_document_names_every_topic_and_event() -> None:
    made = document()

    addresses = {channel["address"] for channel in made["channels"].values()}
    messages = {m for channel in made["channels"].values() for m in channel["messages"]}
    assert made["asyncapi"] == "3.0.0"
    assert addresses == set(topics.ALL)
    assert messages == {f"{m.__name__}.{m.schema_version}" for m in EVENT_TYPES} | {"DeadLetter"}


def test_every_reference_in_the_document_leads_somewhere() -> None:
    made = document()

    for reference in _references(made):
        found: Any = made
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]
        assert found


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)


def test_the_document_describes_what_is_really_sent() -> None:
    made = document()
    envelope = an_envelope()
    data = InvestigationStarted(complaint_id="c", number="N", state="open", version=1)
    message = made["components"]["messages"]["InvestigationStarted.1"]
    headers = {name: value.decode() for name, value in envelope.to_headers()}

    for schema, instance in (
        (message["headers"], headers),
        (message["payload"], orjson.loads(data.model_dump_json())),
    ):
        whole = schema | {"components": made["components"]}
        assert list(Draft202012Validator(whole).iter_errors(instance)) == []


def test_the_document_describes_signals_by_their_own_key() -> None:
    row = outbox_row(detected("hot-1"), sequence=1, at=datetime(2026, 11, 22, 8, tzinfo=UTC))
    made = document()
    message = made["components"]["messages"]["HotspotDetected.1"]
    headers = {name: value.decode() for name, value in unpack(row.headers)}

    assert made["channels"]["signals"]["messages"].keys() == {
        "HotspotDetected.1",
        "IncidentOpened.1",
    }
    assert (row.topic, row.key, headers["ce_subject"]) == (topics.SIGNALS, "hot-1", "hot-1")
    for schema, instance in (
        (message["headers"], headers),
        (message["payload"], orjson.loads(row.value)),
    ):
        whole = schema | {"components": made["components"]}
        assert list(Draft202012Validator(whole).iter_errors(instance)) == []


def an_envelope(
    *, sequence: int = 1, time: datetime | None = None, traceparent: str | None = None
) -> Envelope:
    return Envelope(
        id="01a20a7b-bab2-7360-b3c0-3b75f9b4cd30",
        source="/workflow",
        type="InvestigationStarted",
        version=1,
        time=time or datetime(2026, 11, 22, 8, 0, tzinfo=UTC),
        subject="01a20a7b-bab2-7360-b3c0-3b75f9b4cd31",
        sequence=sequence,
        traceparent=traceparent,
    )


def test_the_sdk_of_cloudevents_reads_our_envelope() -> None:
    envelope = an_envelope(sequence=7)
    message = KafkaMessage(dict(envelope.to_headers()), envelope.subject, b'{"a": 1}')

    event = from_binary(message, JSONFormat())

    assert event.get_id() == envelope.id
    assert event.get_source() == "/workflow"
    assert event.get_type() == "InvestigationStarted"
    assert event.get_subject() == envelope.subject
    assert event.get_time() == envelope.time
    assert event.get_dataschema() == "/schemas/InvestigationStarted/1"
    assert event.get_datacontenttype() == "application/json"
    assert event.get_extension("sequence") == "7"
    assert event.get_extension("partitionkey") == envelope.subject
    assert event.get_data() == {"a": 1}


def test_we_read_what_the_sdk_of_cloudevents_writes() -> None:
    envelope = an_envelope(sequence=7)
    headers = dict(envelope.to_headers())
    event = from_binary(KafkaMessage(headers, envelope.subject, b"{}"), JSONFormat())

    written = to_binary(event, JSONFormat())

    assert Envelope.from_headers(written.headers.items()) == envelope
    assert written.key == envelope.subject


@given(
    sequence=st.integers(1, 2**31 - 1),
    time=st.datetimes(timezones=st.just(timezone(timedelta(hours=8)))),
    traceparent=st.none() | st.from_regex(r"\A00-[0-9a-f]{32}-[0-9a-f]{16}-01\Z"),
)
def test_an_envelope_comes_back_as_it_went_out(
    sequence: int, time: datetime, traceparent: str | None
) -> None:
    envelope = an_envelope(sequence=sequence, time=time, traceparent=traceparent)

    assert Envelope.from_headers(envelope.to_headers()) == envelope


@given(st.lists(st.tuples(st.text(max_size=12), st.binary(max_size=12)), max_size=12))
def test_headers_from_anybody_are_read_or_refused(
    headers: list[tuple[str, bytes]],
) -> None:
    known = an_envelope().to_headers()

    with contextlib.suppress(BrokenEnvelope):
        Envelope.from_headers([*known[:3], *headers])
