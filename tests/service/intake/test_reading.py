"""Reading complaints: masked, revealed, listed, and what other services ask."""

from __future__ import annotations

import httpx
import pytest

from shared.http.auth import Role
from tests.service.intake.conftest import Running


async def test_a_complaint_is_found_by_id_and_by_number_however_it_is_written(
    intake: Running,
) -> None:
    answer = await intake.received()
    number = answer["number"]

    found = [
        await intake.get(f"/v1/complaints/{reference}")
        for reference in (answer["id"], number, number.lower().replace("-", ""))
    ]

    assert {one["id"] for one in found} == {answer["id"]}
    assert found[0]["description"].startswith("周三收到")
    assert found[0]["progress"] is None


async def test_a_mistyped_number_says_that_it_is_mistyped(embedded: Running) -> None:
    number = (await embedded.received())["number"]
    wrong = ("8" if number[0] != "8" else "9") + number[1:]

    response = await embedded.client.get(f"/v1/complaints/{wrong}")

    assert response.status_code == 404
    assert response.json()["type"] == "/problems/mistyped-number"
    assert "mistyped" in response.json()["title"]


async def test_an_unknown_id_is_not_found(embedded: Running) -> None:
    response = await embedded.client.get("/v1/complaints/01936a3e-7c00-7d32-9f3a-5a0d6c1b2e4f")

    assert response.status_code == 404
    assert response.json()["type"] == "/problems/unknown-complaint"


async def test_the_customer_is_masked_unless_revealed_and_the_look_is_recorded(
    intake: Running,
) -> None:
    path = f"/v1/complaints/{(await intake.received())['id']}"

    masked = (await intake.get(path))["customer"]
    nobody_looked = await intake.everything_stored("personal_data_access")
    full = (await intake.get(path, reveal="pii"))["customer"]

    assert (masked["name"], masked["phone"]) == ("王*", "138****8000")
    assert (masked["email"], masked["crm_id"]) == ("w***@example.com", "***77")
    assert (full["name"], full["phone"], full["email"]) == (
        "王芳", "+8613800138000", "wang@example.com",
    )  # fmt: skip
    assert nobody_looked == ""
    assert "local" in await intake.everything_stored("personal_data_access")


async def test_revealing_needs_the_scope(embedded: Running) -> None:
    complaint_id = (await embedded.received())["id"]
    secret = embedded.keys.create(role=Role.EXECUTIVE, name="reader")
    headers = {"Authorization": f"Bearer {secret}"}

    async def read(**parameters: str) -> httpx.Response:
        path = f"/v1/complaints/{complaint_id}"
        return await embedded.client.get(path, params=parameters, headers=headers)

    assert (await read()).status_code == 200
    assert (await read(reveal="pii")).status_code == 403
    assert (await embedded.client.get(f"/v1/complaints/{complaint_id}")).status_code == 401


async def test_the_list_pages_from_the_newest_to_the_oldest(intake: Running) -> None:
    ids = [(await intake.received())["id"] for _ in range(5)]

    first = await intake.client.get("/v1/complaints", params={"limit": 3})
    second = await intake.client.get(
        "/v1/complaints", params={"limit": 3, "cursor": first.json()["next_cursor"]}
    )

    seen = [item["id"] for item in first.json()["items"] + second.json()["items"]]
    assert seen == ids[::-1]
    assert 'rel="next"' in first.headers["Link"]
    assert second.json()["next_cursor"] is None


async def test_the_list_is_narrowed_by_channel(embedded: Running) -> None:
    await embedded.received()
    chat = await embedded.received(channel="chat")

    found = await embedded.get("/v1/complaints", channel="chat")

    assert [item["id"] for item in found["items"]] == [chat["id"]]


async def test_services_are_given_contacts_and_nobody_else(intake: Running) -> None:
    answer = await intake.received()
    body = {"complaint_ids": [answer["id"], "unknown"]}
    path = "/v1/internal/intake/contacts"

    refused = await intake.post(path, body)
    credential = intake.keys.service_credential
    given = await intake.post(path, body, Authorization=f"Bearer {credential}")

    assert refused.status_code == 403
    (item,) = given.json()["items"]
    assert item["complaint_id"] == answer["id"]
    assert (item["name"], item["phone"]) == ("王芳", "+8613800138000")
    assert (item["email"], item["locale"]) == ("wang@example.com", "zh-CN")
    assert item["tracking_url"] == answer["tracking_url"]
    assert item["demands"] == ["re_send", "apology"]
    assert item["references"]["order"] == "20261118-443"
    assert "service" in await intake.everything_stored("personal_data_access")


async def test_services_are_given_what_the_customer_told_us_without_who_they_are(
    intake: Running,
) -> None:
    answer = await intake.received()
    token = str(answer["tracking_url"]).rpartition("/")[2]
    await intake.client.post(f"/track/{token}", data={"objection": "还是没有解决"})
    path = f"/v1/internal/intake/complaints/{answer['id']}/words"
    credential = {"Authorization": f"Bearer {intake.keys.service_credential}"}

    refused = await intake.client.get(path)
    given = await intake.client.get(path, headers=credential)
    unknown = await intake.client.get(path.replace(answer["id"], "x" * 20), headers=credential)

    assert refused.status_code == 403
    told = given.json()
    assert told["order"] == "20261118-443"
    assert (told["channel"], told["region"]) == ("web", "CN-31")
    assert (told["people"], told["demands"]) == (["客服 037"], ["re_send", "apology"])
    assert told["occurred_at"] == "2026-11-18T10:30:00Z"
    assert told["customer"] == {"name": "王*", "tier": "gold", "anonymous": False}
    assert [(one["kind"], one["text"]) for one in given.json()["additions"]] == [
        ("objection", "还是没有解决")
    ]
    assert "+8613800138000" not in given.text
    assert "王芳" not in given.text
    assert unknown.status_code == 404


async def test_services_are_given_the_way_to_the_tracking_page_and_nothing_else(
    intake: Running,
) -> None:
    answer = await intake.received()
    path = f"/v1/internal/intake/complaints/{answer['id']}/tracking"
    credential = {"Authorization": f"Bearer {intake.keys.service_credential}"}

    refused = await intake.client.get(path)
    given = await intake.client.get(path, headers=credential)
    unknown = await intake.client.get(path.replace(answer["id"], "x" * 20), headers=credential)

    assert given.json() == {"url": answer["tracking_url"]}
    assert (refused.status_code, unknown.status_code) == (403, 404)


async def test_services_learn_whose_complaint_a_link_leads_to_and_nobody_else(
    intake: Running,
) -> None:
    answer = await intake.received()
    token = str(answer["tracking_url"]).rpartition("/")[2]
    path = "/v1/internal/intake/tracked"
    credential = f"Bearer {intake.keys.service_credential}"

    refused = await intake.post(path, {"token": token})
    found = await intake.post(path, {"token": token}, Authorization=credential)
    unknown = await intake.post(path, {"token": "else"}, Authorization=credential)

    assert refused.status_code == 403
    customer_id = found.json()["customer_id"]
    assert customer_id in await intake.everything_stored("complaints")
    assert customer_id != answer["id"]
    assert unknown.json() == {"customer_id": None}


@pytest.mark.parametrize("path", ["/v1/complaints?chanel=web", "/v1/imports?limitt=3"])
async def test_a_misspelt_query_parameter_is_refused(embedded: Running, path: str) -> None:
    response = await embedded.client.get(path)

    (error,) = response.json()["errors"]
    assert response.status_code == 422
    assert error["code"] == "unknown_field"
    assert "did you mean" in error["detail"]
