"""The home: one process at a time, and no key made twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.home import HomeInUse, locked, with_master_keys
from shared.kernel.errors import ConfigurationError
from shared.kernel.settings import CommonSettings


def test_a_home_has_one_process(tmp_path: Path) -> None:
    with (
        locked(tmp_path),
        pytest.raises(HomeInUse, match="in use by process"),
        locked(tmp_path, wait_seconds=0),
    ):
        pytest.fail("two hold the lock")


def test_a_home_is_free_again_afterwards(tmp_path: Path) -> None:
    with locked(tmp_path):
        pass

    with locked(tmp_path, wait_seconds=0):
        pass


def test_master_keys_are_made_once_and_kept(tmp_path: Path) -> None:
    settings = CommonSettings(home=tmp_path)

    first = with_master_keys(settings)
    again = with_master_keys(settings)

    assert first.intake_master_key is not None
    assert first == again
    assert (tmp_path / "master-keys.json").stat().st_mode & 0o777 == 0o600


def test_a_set_key_is_kept_out_of_the_file(tmp_path: Path) -> None:
    settings = CommonSettings(home=tmp_path, intake_master_key="given")

    found = with_master_keys(settings)

    assert found.intake_master_key == "given"
    assert "intake" not in (tmp_path / "master-keys.json").read_text()


def test_no_new_key_is_made_beside_an_old_database(tmp_path: Path) -> None:
    (tmp_path / "workflow.db").touch()

    with pytest.raises(ConfigurationError, match="REDRESS_WORKFLOW_MASTER_KEY"):
        with_master_keys(CommonSettings(home=tmp_path))


def test_a_damaged_key_file_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "master-keys.json").write_text("{")

    with pytest.raises(ConfigurationError, match="damaged"):
        with_master_keys(CommonSettings(home=tmp_path))
