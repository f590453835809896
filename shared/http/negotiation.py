"""What a caller would like to get: a page, JSON, CSV."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import HTTPConnection


def preferred(accept: str, offered: Sequence[str]) -> str | None:
    """Return the media type of `offered` that an Accept header likes best, None where none will do.

    The first offered wins a tie and is given where nothing was asked for (RFC 9110 §12.5.1).
    """
    if not accept.strip():
        return offered[0]
    ranges = [_range(part) for part in accept.split(",")]
    best, best_quality = None, 0.0
    for media_type in offered:
        quality = _quality(media_type, ranges)
        if quality > best_quality:
            best, best_quality = media_type, quality
    return best


def wants_page(request: HTTPConnection) -> bool:
    """Tell whether HTML is liked better than JSON: a browser that navigates, not a client."""
    accept = request.headers.get("accept", "")
    return "text/html" in accept and (
        preferred(accept, ("application/json", "text/html")) == "text/html"
    )


def _range(part: str) -> tuple[str, float]:
    media_range, *parameters = part.split(";")
    quality = 1.0
    for parameter in parameters:
        name, _, value = parameter.strip().partition("=")
        if name == "q":
            try:
                quality = float(value)
            except ValueError:
                quality = 0.0
    return media_range.strip().lower(), quality


def _quality(media_type: str, ranges: Sequence[tuple[str, float]]) -> float:
    family = media_type.partition("/")[0] + "/*"
    for candidate in (media_type, family, "*/*"):
        for media_range, quality in ranges:
            if media_range == candidate:
                return quality
    return 0.0
