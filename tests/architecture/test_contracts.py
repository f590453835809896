"""The import contracts of pyproject.toml hold, and no room stands outside them."""

from __future__ import annotations

import logging
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from importlinter.cli import lint_imports

from tests.architecture.contracts import OnlyContract

REPOSITORY = Path(__file__).parents[2]
SPINE = {"endpoints.py", "service.py", "service", "repository.py", "repository", "domain"}


def contracts() -> list[dict[str, Any]]:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = project["tool"]["importlinter"]["contracts"]
    return found


@pytest.fixture
def _loggers_stay_as_they_were() -> Iterator[None]:
    """import-linter sets up logging for itself, and turns off all loggers that there are."""
    found = [logging.getLogger(name) for name in logging.root.manager.loggerDict]
    before = [(logger, logger.disabled) for logger in found]
    yield
    for logger, disabled in before:
        logger.disabled = disabled


@pytest.mark.usefixtures("_loggers_stay_as_they_were")
def test_every_import_contract_holds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(REPOSITORY)

    exit_code = lint_imports(config_filename="pyproject.toml", cache_dir=None)

    assert exit_code == 0, capsys.readouterr().out


def test_every_feature_has_a_contract() -> None:
    contained = {name for contract in contracts() for name in contract.get("containers", ())}

    features = {
        f"services.{path.parent.name}.{path.name}"
        for path in REPOSITORY.glob("services/*_service/*")
        if path.is_dir() and SPINE & {child.name for child in path.iterdir()}
    }

    assert features <= contained


def test_every_contract_of_layers_is_exhaustive() -> None:
    layered = [contract for contract in contracts() if contract.get("containers")]

    assert all(contract.get("exhaustive") for contract in layered)


@pytest.mark.parametrize(
    ("imported", "allowed"),
    [
        ("decimal", True),
        ("pydantic", True),
        ("shared.kernel.clock", True),
        ("services.a_service.other.domain.words", True),
        ("services.b_service.other.domain.words", False),
        ("services.a_service.other.service", False),
        ("sqlalchemy", False),
        ("pydantic_settings", False),
    ],
)
def test_a_domain_may_import_only_what_is_listed(imported: str, allowed: bool) -> None:
    contract = OnlyContract(
        name="pure",
        session_options={},
        contract_options={
            "part_of_name": "domain",
            "allowed": ["pydantic", "shared.kernel"],
        },
    )

    assert contract.is_allowed("services.a_service.cases.domain.case", imported) is allowed
