"""Each database has one line of migrations: with two ends no service starts."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

ROOT = Path(__file__).parents[2]
LINES = sorted(
    folder.parent.relative_to(ROOT)
    for top in ("services", "shared")
    for folder in (ROOT / top).glob("**/migrations/versions")
)


@pytest.mark.parametrize("line", LINES, ids=str)
def test_a_line_of_migrations_has_one_end(line: Path) -> None:
    script = ScriptDirectory(str(ROOT / line))

    assert len(script.get_heads()) == 1
