"""Headers come back as they were, and those that are alike are kept once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.bus.headers import PackedHeaders, pack, pack_envelope, unpack
from shared.bus.port import LoggedRecord, SharedRecord
from shared.events.complaints import ComplaintAmended
from shared.events.envelope import BrokenEnvelope, Envelope
from shared.events.registry import BrokenData, UnknownEvent

ENVELOPE = {
    "ce_id": b"1",
    "ce_source": b"/intake",
    "ce_type": b"SomethingElse",
    "ce_time": b"2026-11-30T10:00:00Z",
    "ce_subject": "投诉".encode(),
    "ce_sequence": b"7",
    "ce_dataschema": b"/schemas/SomethingElse/1",
    "traceparent": b"00-1",
}


def test_headers_come_back_byte_for_byte() -> None:
    headers = (("ce_type", b"CaseOpened"), ("ce_id", b"\x00\xff"), ("ce_type", b"\xe4"))

    assert unpack(pack(headers)) == headers


@pytest.mark.parametrize("subject", ["complaint-1", "投诉", 'one "in" quotes'])
def test_an_envelope_is_packed_as_its_headers_are(subject: str) -> None:
    texts = {name: value.decode() for name, value in ENVELOPE.items()}
    envelope = Envelope.from_texts(texts | {"ce_subject": subject})

    packed = pack_envelope(envelope)

    assert packed == pack(envelope.to_headers())
    assert PackedHeaders(packed).envelope() == envelope


def test_an_envelope_is_written_so() -> None:
    envelope = Envelope.from_headers((ENVELOPE | {"ce_subject": b"c-1"}).items())

    assert pack_envelope(envelope) == (
        '[["ce_specversion","1.0"],["ce_id","1"],["ce_source","/intake"],'
        '["ce_type","SomethingElse"],["ce_time","2026-11-30T10:00:00Z"],["ce_subject","c-1"],'
        '["ce_partitionkey","c-1"],["ce_sequence","7"],'
        '["ce_dataschema","/schemas/SomethingElse/1"],["content-type","application/json"],'
        '["traceparent","00-1"]]'
    )
    assert "traceparent" not in pack_envelope(envelope._replace(traceparent=None))


@pytest.mark.parametrize("name", list(ENVELOPE))
def test_a_header_that_is_no_text_is_refused(name: str) -> None:
    with pytest.raises(BrokenEnvelope):
        Envelope.from_headers((ENVELOPE | {name: b"\xff" + ENVELOPE[name]}).items())


def test_what_is_alike_in_many_records_is_held_in_memory_once() -> None:
    packed = pack((("ce_type", b"CaseOpened"), ("ce_id", b"one")))

    first, second = unpack(packed), unpack(packed)

    assert first[0] is second[0]
    assert first[1][0] is second[1][0]


def test_packed_headers_are_as_those_they_were_packed_from() -> None:
    headers = (("ce_type", b"CaseOpened"), ("ce_id", b"\x00\xff"), ("ce_type", b"\xe4"))

    packed = PackedHeaders(pack(headers))

    assert packed == headers
    assert (len(packed), packed[1], dict(packed)) == (3, headers[1], dict(headers))
    assert pack(packed) == pack(headers)


@given(st.fixed_dictionaries({name: st.binary(max_size=12) for name in ENVELOPE}), st.booleans())
def test_an_envelope_is_the_same_read_from_packed_headers(
    found: dict[str, bytes], upper: bool
) -> None:
    good = ENVELOPE | {name: value for name, value in found.items() if len(value) > 6}
    headers = tuple((name.title() if upper else name, value) for name, value in good.items())

    assert _read(LoggedRecord("t", 0, 0, 0, "k", b"", PackedHeaders(pack(headers)))) == _read(
        LoggedRecord("t", 0, 0, 0, "k", b"", headers)
    )


def _read(record: LoggedRecord) -> Envelope | None:
    try:
        return record.envelope
    except BrokenEnvelope:
        return None


def test_what_a_shared_record_says_is_read_once_for_all_who_hold_it() -> None:
    said = ComplaintAmended(complaint_id="c", number="n", kind="addition", by="customer")
    headers = tuple((ENVELOPE | {"ce_type": b"ComplaintAmended"}).items())
    record = SharedRecord("t", 0, 0, 0, "c", said.model_dump_json().encode(), headers)

    first, second = record.data, record.data

    assert first == said
    assert first is second
    assert record.envelope is record.envelope


def test_what_cannot_be_read_is_refused_each_time() -> None:
    headers = tuple((ENVELOPE | {"ce_type": b"ComplaintAmended"}).items())
    broken = SharedRecord("t", 0, 0, 0, "c", b"{", headers)
    unknown = SharedRecord("t", 0, 0, 0, "c", b"{}", tuple(ENVELOPE.items()))

    for _ in range(2):
        with pytest.raises(BrokenData):
            _ = broken.data
        with pytest.raises(UnknownEvent):
            _ = unknown.data
