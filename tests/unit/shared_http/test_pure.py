"""What needs no app: negotiation, buckets, the route table, cursors."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.http.negotiation import preferred
from shared.http.pagination import decode_cursor, encode_cursor
from shared.http.rate import RateLimiter
from shared.http.route_table import ROUTES, SITE, service_of
from shared.kernel.errors import InvalidInput, RateLimited

JSON, CSV, HTML = "application/json", "text/csv", "text/html"


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("text/csv", CSV),
        ("text/*;q=0.5, application/json;q=0.1", CSV),
        ("text/csv;q=0, */*", JSON),
        ("text/csv;q=nonsense", None),
        ("image/png", None),
    ],
)
def test_the_form_that_is_liked_best_is_given(accept: str, chosen: str | None) -> None:
    assert preferred(accept, (JSON, CSV, HTML)) == chosen


@pytest.mark.parametrize(
    ("path", "service"),
    [
        ("/v1/complaints", "intake"),
        ("/v1/complaints/import", "intake"),
        ("/v1/complaintsx", SITE),
        ("/v1/internal/workflow/words", "workflow"),
        ("/track/abc", "intake"),
        ("/v1/analytics/heatmap", "analytics"),
        ("/v1/customers/0199/preferences", "notification"),
        ("/v1/customers/0199/preferences/", "intake"),
        ("/v1/customers/0199/preferences/x", "intake"),
        ("/v1/customers/preferences", "intake"),
        ("/v1/customers//preferences", "intake"),
        ("/v1/customers/0199", "intake"),
        ("/v1/customers/0199/preferencesx", "intake"),
        ("/v1/internal", SITE),
        ("/", SITE),
        ("", SITE),
    ],
)
def test_a_path_belongs_to_the_service_of_its_prefix(path: str, service: str) -> None:
    assert service_of(path) == service


def test_every_prefix_of_the_table_is_found_and_what_lies_under_it() -> None:
    assert {prefix: service_of(f"{prefix}/x/y/z") for prefix in ROUTES} == dict(ROUTES)


def test_a_bucket_fills_again_with_time() -> None:
    now = [0.0]
    limiter = RateLimiter(per_second=2, burst=2, monotonic=lambda: now[0])
    limiter.take("k")
    limiter.take("k")

    with pytest.raises(RateLimited) as refused:
        limiter.take("k")
    limiter.take("other")
    now[0] = 0.5
    limiter.take("k")

    assert refused.value.retry_after_seconds == 1


# Sort values come from rows, and no row's text holds a NUL.
_TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


@given(st.lists(st.one_of(_TEXT, st.integers(-(2**53), 2**53), st.none()), min_size=1))
def test_a_cursor_gives_back_what_it_was_made_of(keyset: list[str | int | None]) -> None:
    assert decode_cursor(encode_cursor(keyset)) == tuple(keyset)


@pytest.mark.parametrize("keyset", [[True], ["\0"], [2**63], [[1]], [{}]])
def test_a_cursor_that_no_database_takes_is_refused(keyset: list[Any]) -> None:
    with pytest.raises(InvalidInput):
        decode_cursor(encode_cursor(keyset))
