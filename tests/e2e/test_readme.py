"""What README and docs ask to paste works when it is pasted, from the first line to the last."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from tests.harness.product import Product, eventually

REPOSITORY = Path(__file__).parents[2]
ADDRESS = "http://127.0.0.1:8000"

# Where an answer is no success the shell ends there, and prints what it was told.
SHELL = """set -euo pipefail
curl() { command curl --fail-with-body "$@"; }
"""


def blocks(document: str) -> list[str]:
    """Return the parts of a document to be pasted that talk to the product."""
    text = (REPOSITORY / document).read_text(encoding="utf-8")
    found = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [block for block in found if "curl -sS" in block and ADDRESS in block]


def paste(product: Product, lines: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", SHELL + lines.replace(ADDRESS, product.urls["intake"])],
        cwd=folder,
        env=os.environ | product.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_commands_of_the_readme_work_when_pasted(tmp_path: Path) -> None:
    first, *others = blocks("README.md")
    with Product.embedded(tmp_path / "home") as product:
        received = paste(product, first, tmp_path)
        assert received.returncode == 0, received.stdout + received.stderr
        eventually(lambda: product.get("/v1/cases")["items"])

        pasted = paste(product, "\n".join(others), tmp_path)

    assert pasted.returncode == 0, pasted.stdout + pasted.stderr
    assert len(others) >= 5
    assert '"dry_run":true' in pasted.stdout


def test_a_policy_is_changed_as_its_document_says(tmp_path: Path) -> None:
    lines = [block for block in blocks("docs/policies.md") if "/v1/policies" in block]
    with Product.embedded(tmp_path / "home") as product:
        pasted = paste(product, "\n".join(lines), tmp_path)
        newest = product.get("/v1/policies/company/versions")["items"][0]

    assert pasted.returncode == 0, pasted.stdout + pasted.stderr
    assert len(lines) >= 2
    assert newest["version"] == 4
