"""Every folder of tests is a package, so that two modules of one name are two modules."""

from __future__ import annotations

from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]


def test_every_folder_above_a_test_is_a_package() -> None:
    """Without it pytest names ``unit/workflow/test_x`` and ``service/workflow/test_x`` alike.

    It then runs one of them twice and the other never, in the silence of a single run of either.
    """
    modules = list(TESTS.rglob("test_*.py"))
    folders = {folder for module in modules for folder in module.relative_to(TESTS).parents}

    assert modules
    assert [
        str(folder) for folder in folders if not (TESTS / folder / "__init__.py").exists()
    ] == []
