"""The complaint's story, told through HTTP, embedded and as five processes."""

from __future__ import annotations

import json
import re
import time
from html import unescape
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx

from tests.harness.product import COMPLAINT, Product, event, eventually, somebody

POISONING = "吃了你们的牛奶以后孩子上吐下泻,现在在医院抢救。"


def opened(product: Product, **changes: Any) -> Any:
    body = COMPLAINT | {"customer": somebody()} | changes
    complaint = product.post("/v1/complaints", body)
    return eventually(lambda: product.case(complaint["id"]), what="the case is open")


def kinds(product: Product, complaint: str, state: str = "sent") -> list[str]:
    return [m["kind"] for m in product.messages(complaint) if m["state"] == state]


def clock(case: Any, kind: str) -> str:
    states: dict[str, str] = {c["kind"]: c["state"] for c in reversed(case["clocks"])}
    return states[kind]


def test_one_post_becomes_a_case_a_message_and_a_lit_cell(product: Product) -> None:
    before = product.get("/v1/analytics/heatmap", rows="category", columns="region")["total"]

    customer = somebody()
    complaint = product.post("/v1/complaints", COMPLAINT | {"customer": customer})
    identifier = complaint["id"]

    case = eventually(lambda: product.case(identifier))
    assert case["number"] == complaint["number"]
    assert case["priority"] == complaint["classification"]["priority"]
    assert (case["escalation_level"], case["escalated_because"]) == (1, "outward")  # 12315
    eventually(lambda: "acknowledgement" in kinds(product, identifier))
    eventually(lambda: clock(product.case(identifier), "acknowledge") == "met")
    heatmap = eventually(
        lambda: (
            (found := product.get("/v1/analytics/heatmap", rows="category", columns="region"))[
                "total"
            ]
            == before + 1
            and found
        )
    )
    row, column = heatmap["rows"].index("logistics.short"), heatmap["columns"].index("CN-31")
    assert heatmap["cells"][row][column] >= 1
    status = product.get(f"/v1/complaints/{identifier}")
    assert status["customer"]["phone"] == "139****" + customer["phone"][-4:]


def test_a_complaint_travels_from_receipt_to_closed(product: Product) -> None:
    case = opened(product)
    identifier = case["id"]

    product.act(identifier, "assign", owner="li.na", department="logistics")
    product.act(identifier, "start-investigation")
    proposed = product.act(
        identifier,
        "propose",
        options=[
            {"kind": "re_send", "text": "明天补发两件"},
            {"kind": "refund", "text": "退款", "amount": {"amount": "35.00", "currency": "CNY"}},
        ],
    )
    assert proposed["state"] == "proposed"
    assert clock(proposed, "first_reply") == "met"
    assert clock(proposed, "propose") == "met"
    product.act(identifier, "accept", option="A")
    product.act(identifier, "carry-out", text="已补发,快递单号 SF123")
    resolved = product.act(identifier, "resolve", summary="两件已补发,仓库改为双人复核。")
    assert resolved["state"] == "resolved"
    assert clock(resolved, "resolve") == "met"
    closed = product.act(identifier, "close")

    assert closed["state"] == "closed"
    assert {c["state"] for c in closed["clocks"]} <= {"met", "breached", "cancelled"}
    told = {"acknowledgement", "proposal", "step", "resolved", "closed"}
    eventually(lambda: told <= set(kinds(product, identifier)), what="the customer is told")
    eventually(
        lambda: product.get(f"/v1/complaints/{identifier}")["status"] == "closed",
        what="the tracking follows",
    )
    eventually(
        lambda: (
            product.get(
                "/v1/analytics/heatmap", rows="category", columns="region", measure="resolved"
            )["total"]
            >= 1
        )
    )


def test_figures_are_the_same_after_a_rebuild_and_after_a_restart_with_nothing_new(
    product: Product,
) -> None:
    opened(product)
    question = "/v1/analytics/heatmap?rows=category&columns=channel"
    before = eventually(lambda: (found := product.get(question))["total"] and found)

    rebuilt = product.post("/v1/internal/analytics/rebuild")
    rebuilt_total = product.get(question)["total"]
    product.restart("analytics")

    assert rebuilt["facts"] == rebuilt_total >= before["total"]
    for _ in range(5):  # a loop that fails is tried again, and ready in between
        assert httpx.get(f"{product.urls['analytics']}/health/ready").status_code == 200
        time.sleep(0.2)
    assert product.get(question)["total"] == rebuilt_total


def test_every_link_of_a_customers_messages_and_of_the_pages_behind_it_opens(
    product: Product,
) -> None:
    case = opened(product)
    options = [{"kind": "refund", "text": "退款", "amount": {"amount": "35.00", "currency": "CNY"}}]
    product.act(case["id"], "propose", options=options)
    eventually(lambda: {"acknowledgement", "proposal"} <= set(kinds(product, case["id"])))

    links = links_to_customer(product, case["number"])
    assert {urlsplit(link).path.split("/")[1] for link in links} >= {"track", "answer"}
    pages = {link: httpx.get(link, follow_redirects=True) for link in links}
    behind = {
        urljoin(str(page.url), unescape(href))
        for page in pages.values()
        for href in re.findall(r'<a [^>]*href="([^"#]+)"', page.text)
    }
    assert any("/preferences/" in link for link in behind)
    pages |= {link: httpx.get(link, follow_redirects=True) for link in behind if "http" in link}

    refused = {link: page.status_code for link, page in pages.items() if page.status_code != 200}
    assert refused == {}


def test_the_lines_of_the_start_page_lead_to_where_they_are_answered(product: Product) -> None:
    start = product.request("GET", "/", headers={"Accept": "text/html"}).text

    addresses = set(re.findall(r"http://[\w.:]+/v1/[\w/?=&]+", unescape(start)))

    assert len(addresses) >= 3
    for address in addresses - {f"{product.urls['intake']}/v1/complaints"}:
        assert httpx.get(address).status_code == 200, address


def links_to_customer(product: Product, number: str) -> set[str]:
    """Return the links in all messages about one complaint."""
    texts = [file.read_text("utf-8") for file in (product.home / "outbox").iterdir()]
    found = (re.findall(r"https?://[^\s\"<>）]+", text) for text in texts if number in text)
    return {unescape(link) for links in found for link in links}


def test_a_breach_escalates_the_case_and_tells_its_new_owner(product: Product) -> None:
    case = opened(product, category="safety.injury", description=POISONING)
    identifier = case["id"]
    assert case["priority"] == "P1"

    escalated = eventually(
        lambda: (found := product.case(identifier))["escalation_level"] >= 1 and found,
        what="the breach of the first reply escalates",
    )

    assert clock(escalated, "first_reply") == "breached"
    by = {entry["action"] for entry in escalated["history"]}
    assert "escalate" in by or "escalated" in by
    told = {"staff_warning", "staff_breach", "staff_escalation"}
    eventually(lambda: told <= set(kinds(product, identifier)), what="the staff are told")
    eventually(
        lambda: (
            product.get(
                "/v1/analytics/heatmap", rows="category", columns="priority", measure="breached"
            )["total"]
            >= 1
        ),
        what="the figures show the breach",
    )
    # Nobody replies: it would go on up, level by level.
    product.act(identifier, "withdraw", reason="客户撤回")


def letters_of(product: Product, service: str, complaint: str) -> list[Any]:
    found = product.get(f"/v1/internal/{service}/dead-letters", limit=200)["items"]
    return [letter for letter in found if letter["complaint_id"] == complaint]


def test_a_gap_parks_its_complaint_until_it_is_filled_and_retried(product: Product) -> None:
    case = opened(product)
    identifier = case["id"]

    product.publish(event(case, sequence=3))
    parked = eventually(lambda: letters_of(product, "workflow", identifier), what="it is parked")
    other = opened(product)

    assert "2" in parked[0]["reason"]
    assert other["state"] == "assigned"
    product.post(f"/v1/complaints/{identifier}/additions", {"text": "还少一件", "by": "customer"})
    # Messages about the complaint are parked there too, and their source counts for itself.
    eventually(
        lambda: (
            ("/intake", 2)
            in [
                (one["source"], one["sequence"])
                for one in letters_of(product, "workflow", identifier)
            ]
        ),
        seconds=30,
        what="what fills the gap is parked behind it",
    )
    outcome = product.post(f"/v1/internal/workflow/dead-letters/{parked[0]['id']}/retry")
    assert outcome["handled"] >= 2
    assert outcome["waiting"] == 0
    assert letters_of(product, "workflow", identifier) == []


def test_a_poisoned_event_can_be_dropped_and_the_rest_flows_on(product: Product) -> None:
    case = opened(product)
    identifier = case["id"]

    product.publish(event(case, sequence=2, body=b'{"broken'))
    parked = eventually(lambda: letters_of(product, "workflow", identifier), what="it is parked")

    assert "ComplaintAmended" in parked[0]["reason"]
    path = f"/v1/internal/workflow/dead-letters/{parked[0]['id']}"
    retried = product.post(f"{path}/retry")
    assert retried["handled"] == 0
    assert retried["waiting"] >= 1
    product.post(f"{path}/drop")
    assert letters_of(product, "workflow", identifier) == []


def test_what_is_not_possible_names_what_is(product: Product) -> None:
    case = opened(product)

    answer = product.request("POST", f"/v1/cases/{case['id']}/close", json={})

    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert "assign" in answer.json()["allowed_actions"]


def test_the_same_complaint_sent_twice_is_one(product: Product) -> None:
    key = {"Idempotency-Key": "story-twice"}
    body = COMPLAINT | {"customer": somebody()}

    first = product.request("POST", "/v1/complaints", json=body, headers=key)
    again = product.request("POST", "/v1/complaints", json=body, headers=key)

    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    identifier = first.json()["id"]
    eventually(lambda: kinds(product, identifier).count("acknowledgement") == 1)
    assert len(product.get("/v1/cases", complaint_id=identifier)["items"]) == 1


def test_the_tracking_page_tells_the_customer_where_things_stand(product: Product) -> None:
    complaint = product.post("/v1/complaints", COMPLAINT | {"customer": somebody()})
    eventually(lambda: product.case(complaint["id"]))
    path = "/track/" + complaint["tracking_url"].rpartition("/")[2]

    page = product.request("GET", path)

    assert page.status_code == 200
    assert complaint["number"] in page.text
    assert 'lang="zh' in page.text


def test_every_service_describes_its_events(product: Product) -> None:
    contract = product.get("/asyncapi.json")

    assert contract["asyncapi"].startswith("3.")
    assert "ComplaintReceived" in str(contract)


def test_every_operation_has_examples(embedded: Product) -> None:
    document = embedded.get("/openapi.json")
    schemas = document["components"]["schemas"]

    def has_example(part: Any, seen: frozenset[str] = frozenset()) -> bool:
        text = json.dumps(part)
        named = set(re.findall(r"#/components/schemas/([^\"]+)", text)) - seen
        return '"example' in text or any(has_example(schemas[n], seen | named) for n in named)

    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            bodies = [operation["requestBody"]] if "requestBody" in operation else []
            for status, answer in operation["responses"].items():
                # What is refused has one example for all; it must not stand for the others.
                if status.startswith("2") and "application/json" in answer.get("content", {}):
                    bodies.append(answer["content"]["application/json"])
            assert all(map(has_example, bodies)), (method, path)


CREATES_NOTHING = re.compile(
    r"/(receipts/.*|business-time|tone-check|letters/preview|preview|activate|calendars/.*/days)$"
)
ONCE_BY_THEMSELVES = re.compile(
    r"/(complaints/import|supervision|surveys/.*|notifications/.*/(resend|mark-sent))$"
)


def test_every_post_that_creates_says_that_it_takes_a_key(embedded: Product) -> None:
    document = embedded.get("/openapi.json")

    silent = {
        path
        for path, operations in document["paths"].items()
        if "post" in operations
        and "idempotency-key" not in {p["name"] for p in operations["post"].get("parameters", ())}
    }

    others = {path for path in silent if not CREATES_NOTHING.search(path)}
    assert {path for path in others if not ONCE_BY_THEMSELVES.search(path)} == set()
    assert len(document["paths"]) > 80


def test_the_mapping_of_the_documentation_is_a_mapping(embedded: Product) -> None:
    document = embedded.get("/openapi.json")
    upload = document["paths"]["/v1/imports/mappings/{name}"]["put"]["requestBody"]
    example = upload["content"]["application/yaml"]["example"]

    answer = embedded.request(
        "PUT",
        "/v1/imports/mappings/of-the-docs",
        content=example.encode(),
        headers={"Content-Type": "application/yaml"},
    )

    assert answer.status_code == 200, answer.text
