"""README says what the code does."""

from __future__ import annotations

from tests.architecture.readme_tables import README, with_tables


def test_readme_tables_equal_the_code() -> None:
    text = README.read_text()

    assert with_tables(text) == text, "run `python -m tests.architecture.readme_tables`"
