"""The home's lock."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from services.home import HomeInUse, locked


def test_a_second_process_is_told_who_works_here(tmp_path: Path) -> None:
    mine = str(os.getpid())

    with locked(tmp_path), pytest.raises(HomeInUse, match=mine), locked(tmp_path, wait_seconds=0):
        pass


def test_the_lock_holds_where_a_full_disk_takes_no_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)

    with locked(tmp_path), pytest.raises(HomeInUse), locked(tmp_path, wait_seconds=0):
        pass
