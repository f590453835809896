"""Bands keep the order of spans and are narrow."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.analytics_service.projections.domain.bands import band_of

# As long as any two instants that a date can tell are apart.
spans = st.timedeltas(timedelta(days=-3_700_000), timedelta(days=3_700_000))


@given(spans, spans)
def test_a_longer_span_lies_in_no_lower_band(one: timedelta, other: timedelta) -> None:
    shorter, longer = sorted((one, other))

    assert band_of(shorter) <= band_of(longer)


@given(spans)
def test_a_band_is_narrow_and_its_number_fits_two_bytes(span: timedelta) -> None:
    apart = abs(span) / 50 + timedelta(microseconds=1)

    assert band_of(span - apart) < band_of(span) < band_of(span + apart)
    assert -(2**15) <= band_of(span) < 2**15


def test_the_same_span_lies_in_the_same_band_on_every_machine() -> None:
    seconds = (0, 1, 60, 3600, 86_400, 86_400 * 365, -60)

    assert [band_of(timedelta(seconds=each)) for each in seconds] == [
        0, 954, 1330, 1707, 2000, 2546, -1330,
    ]  # fmt: skip
