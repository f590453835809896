"""Narrow bands of spans, wider the longer: small whole numbers that are quick to count."""

from __future__ import annotations

from datetime import timedelta

_BITS = 6
"""Every doubling of a span is cut into 2 ** 6 bands, so that none is wider than 1.6 %."""


def band_of(span: timedelta) -> int:
    """Return the band of a span; a longer span lies in the same band or a higher one.

    Whole numbers only: a logarithm might be rounded differently on another machine, and two equal
    spans in two bands would make percentiles wrong. Negative spans occur, for some sources close
    complaints before they receive them; theirs are the negative bands.
    """
    microseconds = (span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds
    size = abs(microseconds)
    shift = max(size.bit_length() - _BITS - 1, 0)
    band = (shift << _BITS) + (size >> shift)
    return band if microseconds >= 0 else -band
