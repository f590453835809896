"""The tour through the code names places that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOUR = (ROOT / "docs" / "tour.md").read_text()
PLACES = re.findall(r"`((?:services|shared)/[\w/]+\.py)` · `(\w+)`", TOUR)


@pytest.mark.parametrize(("file", "name"), PLACES)
def test_a_stop_of_the_tour_exists(file: str, name: str) -> None:
    text = (ROOT / file).read_text()

    assert re.search(rf"^\s*(?:async def|def|class) {name}\b", text, re.MULTILINE)


def test_the_tour_has_at_most_twelve_stops() -> None:
    stops = re.findall(r"^\d+\. ", TOUR, re.MULTILINE)

    assert 8 <= len(stops) <= 12
    assert len(PLACES) >= len(stops)
