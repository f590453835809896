"""Whoever ends the product sees it end, and nothing else."""

from __future__ import annotations

import signal
from pathlib import Path

from tests.harness.product import COMPLAINT, Product


def test_ctrl_c_ends_the_product_without_a_word_of_its_libraries(tmp_path: Path) -> None:
    with Product.embedded(tmp_path / "home") as product:
        product.post("/v1/complaints", COMPLAINT)

        product.processes["embedded"].send_signal(signal.SIGINT)
        product.processes["embedded"].wait(timeout=30)

        said = (product.home / "embedded.log").read_text(encoding="utf-8").splitlines()
        assert [line for line in said if not line.startswith("{")] == []
