"""The alerts that come with the project ask for metrics that there are."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((ROOT / "deploy/alerts.yml").read_text("utf-8"))["groups"]
    for rule in group["rules"]
]


def _told() -> set[str]:
    """Return the names that are written in calls of Prometheus' classes, as it publishes them."""
    found: set[str] = set()
    for folder in ("shared", "services"):
        for file in (ROOT / folder).rglob("*.py"):
            call = r"\b(?:Counter|Gauge|Histogram)\(\s*\"(\w+)\""
            found.update(re.findall(call, file.read_text("utf-8")))
    return found


def test_the_names_are_found() -> None:
    assert {"redress_outbox_oldest_age_seconds", "timer_failures_total"} <= _told()


@pytest.mark.parametrize("rule", RULES, ids=[rule["alert"] for rule in RULES])
def test_an_alert_asks_for_metrics_that_are_told(rule: dict[str, Any]) -> None:
    words = re.sub(r"by \([^)]*\)|\{[^}]*\}|\[[^]]*\]", "", rule["expr"])
    asked = set(re.findall(r"[a-z]+(?:_[a-z]+)+", words))

    assert asked
    assert asked <= _told()
