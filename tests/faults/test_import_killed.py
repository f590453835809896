"""kill -9 in the middle of an import: nothing is lost or doubled, and no process stays behind."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.harness.product import Product, eventually

pytestmark = pytest.mark.faults

ROWS = 12_000
AFTER = 4_000
HEADER = "留言编号,留言用户,留言主题,留言时间,留言详情,答复时间\n"


def _file(folder: Path) -> Path:
    path = folder / "large.csv"
    rows = (f"{n},U{n},少了两件,2019-04-25,周三收到的订单少了两件{n},\n" for n in range(ROWS))
    path.write_text(HEADER + "".join(rows), encoding="utf-8")
    return path


def _command(product: Product, path: Path) -> list[str]:
    sent_to = ("--url", product.urls["intake"])
    return [
        sys.executable,
        "-m",
        "services",
        "import",
        str(path),
        "--mapping",
        "zh-messages",
        *sent_to,
    ]


def _two_beside(product: Product) -> list[psutil.Process]:
    """Return intake's process and workflow's, none before both are there."""
    found: list[psutil.Process] = psutil.Process(product.processes["embedded"].pid).children()
    return found if len(found) == 2 else []


def test_an_import_outlives_a_kill_of_the_product(tmp_path: Path) -> None:
    path = _file(tmp_path)
    with Product.embedded(tmp_path / "home") as product:
        sending = subprocess.Popen(_command(product, path), stderr=subprocess.DEVNULL)
        beside = eventually(lambda: _two_beside(product), seconds=60, what="two processes beside")
        eventually(
            lambda: product.get("/v1/imports")["items"][0]["accepted"] >= AFTER,
            seconds=60,
            what="a good part of the file",
        )

        product.kill("embedded")
        broken = sending.wait(timeout=30)
        eventually(
            lambda: not any(one.is_running() for one in beside), seconds=10, what="both have ended"
        )
        product.start()
        left = product.get("/v1/imports")["items"][0]
        subprocess.run(_command(product, path), check=True, timeout=120)

        again = product.get("/v1/imports")["items"][0]
        assert broken != 0
        assert left["state"] == "interrupted"
        assert AFTER <= left["accepted"] <= again["existing"] < ROWS
        assert again["existing"] + again["accepted"] == ROWS
        eventually(lambda: _counted(product) == ROWS, seconds=60, what="the heat map counts all")
        assert product.get("/v1/notifications")["items"] == []


def test_an_import_goes_on_where_the_processes_beside_are_killed(tmp_path: Path) -> None:
    path = _file(tmp_path)
    with Product.embedded(tmp_path / "home") as product:
        sending = subprocess.Popen(_command(product, path))
        beside = eventually(lambda: _two_beside(product), seconds=60, what="two processes beside")
        time.sleep(2)  # they take orders by now, or die while they load: both must do no harm
        for one in beside:
            one.kill()

        assert sending.wait(timeout=120) == 0
        assert product.get("/v1/imports")["items"][0]["accepted"] == ROWS
        eventually(lambda: _counted(product) == ROWS, seconds=60, what="the heat map counts all")
        eventually(lambda: _every_one_has_its_case(product), seconds=60, what="all have a case")
        told = product.log_tail("embedded")
        assert told.count("beside.process_lost") == 2  # once each, whatever they had in hand


def _every_one_has_its_case(product: Product) -> bool:
    """Tell whether none is counted whose case is not open yet: it would have no department."""
    return None not in product.get("/v1/analytics/heatmap", columns="department")["columns"]


def _counted(product: Product) -> int:
    total: int = product.get("/v1/analytics/heatmap")["total"]
    return total
