"""A day after the resolution the customer is asked; what they answer decides how it goes on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.harness.clocks import MovableClock
from tests.harness.product import COMPLAINT, Product, somebody
from tests.harness.product import eventually as eventually_within

DAY = timedelta(days=1)
# Under a clock that is asked of a library every step takes longer, on a busy machine much longer.
eventually = partial(eventually_within, seconds=60)
CALM = {"description": "周三收到的订单少了两件。", "category": "logistics.short"}


@pytest.fixture
def asked(tmp_path: Path, movable_clock: MovableClock) -> Iterator[Product]:
    """A product of its own, whose clock can be moved."""
    product = Product.embedded(tmp_path / "home", movable_clock.settings)
    with product:
        yield product


def resolved(product: Product) -> str:
    body = COMPLAINT | CALM | {"customer": somebody()}
    case = str(product.post("/v1/complaints", body)["id"])
    eventually(lambda: product.case(case), what="the case is open")
    product.act(case, "resolve", summary="两件已补发，仓库加了复核。")
    eventually(lambda: "resolved" in sent(product, case), what="the customer is told")
    return case


def sent(product: Product, case: str) -> set[str]:
    return {m["kind"] for m in product.messages(case) if m["state"] == "sent"}


def link_of(product: Product, case: str) -> str:
    """Return the path of the survey, as it stands in the customer's mail."""
    number = product.case(case)["number"]
    for file in sorted((product.home / "outbox").iterdir()):
        text = file.read_text(encoding="utf-8")
        found = re.search(r"/survey/[\w-]{22}", text)
        if found and number in text:
            return found.group()
    raise AssertionError("no message carries a survey")


def satisfaction(product: Product, case: str) -> Any:
    return product.case(case)["satisfaction"]


def test_a_low_score_reopens_and_a_call_closes(asked: Product, movable_clock: MovableClock) -> None:
    unhappy, silent = resolved(asked), resolved(asked)
    assert "survey" not in sent(asked, unhappy)

    movable_clock.move(DAY + timedelta(minutes=1), url=asked.urls["workflow"])
    eventually(lambda: "survey" in sent(asked, unhappy) & sent(asked, silent), what="the survey")
    path = link_of(asked, unhappy)
    looked = asked.request("GET", f"{path}?score=1", headers={"Accept": "text/html"})
    form = {"score": "1", "text": "还是少一件"}
    answers = [asked.request("POST", path, data=form).status_code for _ in range(2)]

    assert looked.status_code == 200
    assert answers == [303, 303]
    reopened = eventually(
        lambda: (found := asked.case(unhappy))["round"] == 2 and found, what="it is reopened"
    )
    assert (reopened["state"], reopened["escalation_level"]) == ("assigned", 1)
    assert reopened["escalated_because"] == "low_score"
    assert satisfaction(asked, unhappy)["score"] == 1
    eventually(lambda: {"reopened", "staff_satisfaction"} <= sent(asked, unhappy))
    page = asked.request("GET", f"/cases/{unhappy}", headers={"Accept": "text/html"})
    assert "还是少一件" in page.text

    movable_clock.move(1.5 * DAY + timedelta(minutes=2), url=asked.urls["workflow"])
    (task,) = eventually(
        lambda: asked.get("/v1/callbacks", state="open", complaint_id=silent)["items"],
        what="the customer is to be called",
    )
    asked.post(f"/v1/callbacks/{task['id']}/attempts", {"result": "no_answer"})
    done = asked.post(f"/v1/callbacks/{task['id']}/answers", {"score": 5, "text": "很好"})

    assert done["state"] == "answered"
    assert asked.case(silent)["state"] == "closed"
    assert satisfaction(asked, silent)["source"] == "call"
    eventually(lambda: "closed" in sent(asked, silent), what="the customer is told")
    late = asked.request("POST", link_of(asked, silent), data={"score": "4"})
    assert late.status_code == 303
    eventually(lambda: satisfaction(asked, silent)["source"] == "survey", what="it is recorded")
    assert asked.case(silent)["state"] == "closed"
