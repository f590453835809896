"""Cursors of the feed: short, whole, and refused where they are not ours."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notification_service.feed.domain.cursor import (
    PLACES,
    BadCursor,
    decode,
    encode,
    mark_of,
)

LOG = mark_of("a log")
_OFFSETS = st.lists(
    st.integers(min_value=0, max_value=2**63 - 1), min_size=len(PLACES), max_size=len(PLACES)
)


@given(_OFFSETS)
def test_a_cursor_gives_back_the_offsets_it_was_made_of(offsets: list[int]) -> None:
    found = decode(encode(offsets, LOG))

    assert list(found.offsets) == offsets
    assert found.log == LOG


def test_a_cursor_of_before_they_named_their_log_is_still_read() -> None:
    # As a reader has kept it: all offsets 5.
    kept = "AQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBVkTgw"

    assert decode(kept) == ([5] * len(PLACES), None)


@given(st.text(max_size=200))
def test_any_text_is_a_cursor_or_refused(text: str) -> None:
    try:
        found = decode(text)
    except BadCursor:
        return
    assert len(found.offsets) == len(PLACES)


@pytest.mark.parametrize("cut", [1, 2, 5, 40])
def test_a_cursor_that_was_cut_is_refused(cut: int) -> None:
    cursor = encode(range(len(PLACES)), LOG)

    with pytest.raises(BadCursor):
        decode(cursor[:-cut])


def test_a_cursor_with_one_letter_changed_is_refused() -> None:
    cursor = encode([1000] * len(PLACES), LOG)

    changed = cursor[:20] + ("A" if cursor[20] != "A" else "B") + cursor[21:]

    with pytest.raises(BadCursor):
        decode(changed)


def test_a_cursor_of_too_few_partitions_is_refused() -> None:
    with pytest.raises(BadCursor):
        decode(encode([1, 2, 3], LOG))


def test_a_cursor_of_a_million_events_in_each_partition_fits_in_a_line() -> None:
    cursor = encode([1_000_000] * len(PLACES), LOG)

    assert len(cursor) < 160
    assert base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
