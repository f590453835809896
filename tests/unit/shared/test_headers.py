"""Headers come back as they were, and those that are alike are kept once."""

from __future__ import annotations

from shared.bus.headers import pack, unpack


def test_headers_come_back_byte_for_byte() -> None:
    headers = (("ce_type", b"CaseOpened"), ("ce_id", b"\x00\xff"), ("ce_type", b"\xe4"))

    assert unpack(pack(headers)) == headers


def test_what_is_alike_in_many_records_is_held_in_memory_once() -> None:
    packed = pack((("ce_type", b"CaseOpened"), ("ce_id", b"one")))

    first, second = unpack(packed), unpack(packed)

    assert first[0] is second[0]
    assert first[1][0] is second[1][0]
