"""The ground for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.service.shared_http.ground import TestGround


@pytest.fixture
def ground(tmp_path: Path) -> TestGround:
    """Return a platform without any key."""
    return TestGround(tmp_path)
