"""A company's own wordings: saved, tried, activated, and never in the way of a message."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest
from prometheus_client import REGISTRY
from sqlalchemy import insert, select, update
from structlog.testing import capture_logs

from services.notification_service.messages.models import notifications
from services.notification_service.templates.models import template_versions
from shared.db.database import Database
from shared.events.cases import Closed
from shared.http.access import Role
from tests.service.notification.conftest import START, Notification, received
from tests.service.notification.running import Running, neighbours, running

__all__ = ["neighbours", "running"]

CLOSED = "/v1/templates/closed/en"
OWN = (
    "{% block sms %}{{ company }}: {{ number }} is closed. Thank you! We will reopen it if you"
    " ask us to.{% endblock %}\n"
    "{% block subject %}Closed: {{ number }}{% endblock %}\n"
    "{% block email %}\nDear {{ name or 'customer' }},\n\n{{ number }} is closed. We will reopen it"
    " if you ask us to.\n{% endblock %}\n"
)


async def put(
    http: httpx.AsyncClient, source: str = OWN, *, etag: str | None = None, path: str = CLOSED
) -> httpx.Response:
    headers = {"If-Match": etag} if etag else {}
    return await http.put(path, json={"source": source}, headers=headers)


async def activate(http: httpx.AsyncClient, version: int | str) -> httpx.Response:
    return await http.post(f"{CLOSED}/activate", json={"version": version})


async def test_the_list_shows_what_speaks_and_what_its_sms_costs(running: Running) -> None:
    items = (await running.http.get("/v1/templates")).json()["items"]

    (closed,) = [one for one in items if (one["kind"], one["locale"]) == ("closed", "en")]
    assert (closed["active"], closed["latest"]) == ("built-in", "built-in")
    assert closed["audience"] == "customer"
    assert not closed["differs_from_built_in"]
    assert closed["sms"]["segments"] >= 1
    assert closed["sms"]["encoding"] == "GSM-7"


async def test_a_draft_is_kept_by_number_and_does_not_speak_yet(running: Running) -> None:
    saved = await put(running.http)
    found = (await running.http.get(CLOSED)).json()

    assert (saved.status_code, saved.headers["etag"]) == (200, '"1"')
    assert (saved.json()["version"], saved.json()["state"]) == (1, "draft")
    assert (found["active"], found["latest"], found["latest_source"]) == ("built-in", 1, OWN)


async def test_the_same_again_makes_no_second_version(running: Running) -> None:
    first, second = await put(running.http), await put(running.http)

    assert first.json()["version"] == second.json()["version"] == 1


async def test_a_wording_about_a_hot_spot_is_tried_in_samples_only(running: Running) -> None:
    path = "/v1/templates/staff_hotspot/en/preview"
    complaint_id = await running.acknowledge(phone="+8613800138000")

    shown = await running.http.post(path, json={"sample": "said again as it grows"})
    refused = await running.http.post(path, json={"complaint_id": complaint_id})

    assert "still rising: Delivery: Short" in shown.json()["sms"]["text"]
    assert shown.json()["faults"] == []
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["code"] == "about_no_complaint"


async def test_an_own_wording_about_an_incident_needs_no_number_but_asks_for_what_may_be_missing(
    running: Running,
) -> None:
    path = "/v1/templates/staff_incident/en/preview"
    source = (
        "{% block sms %}{{ count }} complaints, one cause.{% endblock %}\n"
        "{% block subject %}Incident{% endblock %}\n"
        "{% block email %}\nLed by {{ owner }}.\n{% endblock %}\n"
    )

    shown = (await running.http.post(path, json={"source": source})).json()

    assert [fault["code"] for fault in shown["faults"]] == ["scene"]
    assert "without owner" in shown["faults"][0]["detail"]


async def test_two_editors_cannot_overwrite_each_other_unseen(running: Running) -> None:
    read = await running.http.get(CLOSED)

    await put(running.http, etag=read.headers["etag"])
    late = await put(running.http, OWN.replace("Thank you", "Thanks"), etag=read.headers["etag"])

    assert late.status_code == 412
    assert "read it again" in late.json()["detail"]


@pytest.mark.parametrize("path", ["/v1/templates/birthday/en", "/v1/templates/closed/fr"])
async def test_an_unknown_kind_or_language_is_not_found(running: Running, path: str) -> None:
    assert (await running.http.get(path)).status_code == 404
    assert (await put(running.http, path=path)).status_code == 404
    assert (await running.http.post(f"{path}/preview", json={})).status_code == 404


async def test_a_wording_that_may_not_be_is_refused_with_line_and_reason(running: Running) -> None:
    refused = await put(running.http, OWN.replace("{{ name or", "{{ nmae or"))
    found = (await running.http.get(CLOSED)).json()

    assert refused.status_code == 422
    (error,) = refused.json()["errors"]
    assert (error["pointer"], error["code"]) == ("/source", "unknown_variable")
    assert error["detail"] == "line 4: there is no variable nmae; did you mean name?"
    assert found["latest"] == "built-in"


async def test_an_activated_version_speaks_and_the_one_before_is_retired(running: Running) -> None:
    await put(running.http)
    await activate(running.http, 1)
    await put(running.http, OWN.replace("Thank you", "Thanks"))

    answer = await activate(running.http, 2)

    versions = (await running.http.get(f"{CLOSED}/versions")).json()["items"]
    assert (answer.status_code, answer.json()["active"]) == (200, 2)
    assert answer.json()["differs_from_built_in"]
    assert "Thanks" in answer.json()["sms"]["text"]
    assert [(one["version"], one["state"]) for one in versions] == [
        (2, "active"),
        (1, "retired"),
        ("built-in", "retired"),
    ]
    assert versions[1]["changed_by"] == "local"


async def test_the_wording_of_the_project_can_speak_again(running: Running) -> None:
    await put(running.http)
    await activate(running.http, 1)

    answer = (await activate(running.http, "built-in")).json()

    assert answer["active"] == "built-in"
    assert answer["source"] == answer["built_in_source"]


async def test_a_version_that_does_not_exist_cannot_speak(running: Running) -> None:
    assert (await activate(running.http, 7)).status_code == 404
    assert (await activate(running.http, 0)).status_code == 422


async def test_a_version_that_reads_badly_in_some_scene_cannot_speak(running: Running) -> None:
    await put(running.http, OWN.replace("{{ name or 'customer' }}", "{{ name }}"))

    refused = await activate(running.http, 1)

    assert refused.status_code == 422
    assert "line 4" in refused.json()["detail"]
    assert "(scene: without name)" in refused.json()["detail"]
    assert (await running.http.get(CLOSED)).json()["active"] == "built-in"


@pytest.mark.parametrize(
    ("spoilt", "says"),
    [
        (OWN.replace("Thank you!", "If we were at fault, we are sorry."), "line 1: “"),
        (OWN.replace(" We will reopen it if you ask us to.", ""), "does not say what we do next"),
    ],
)
async def test_a_version_in_a_tone_that_hurts_cannot_speak(
    running: Running, spoilt: str, says: str
) -> None:
    await put(running.http, spoilt)

    refused = await activate(running.http, 1)

    assert refused.status_code == 422
    assert {error["code"] for error in refused.json()["errors"]} <= {"tone", "duty"}
    assert any(says in error["detail"] for error in refused.json()["errors"])
    assert (await running.http.get(CLOSED)).json()["active"] == "built-in"


async def test_a_preview_shows_both_messages_their_length_and_their_faults(
    running: Running,
) -> None:
    source = OWN.replace("{{ name or 'customer' }}", "{{ name }}")

    shown = (await running.http.post(f"{CLOSED}/preview", json={"source": source})).json()

    assert shown["sms"]["text"] == (
        "Redress: 7K3F-9Q2M-X is closed. Thank you! We will reopen it if you ask us to."
    )
    assert (shown["sms"]["encoding"], shown["sms"]["characters"], shown["sms"]["segments"]) == (
        "GSM-7",
        len(shown["sms"]["text"]),
        1,
    )
    assert shown["email"]["subject"] == "Closed: 7K3F-9Q2M-X"
    assert "Dear Ann Lee," in shown["email"]["text"]
    assert "<p>Dear Ann Lee,</p>" in shown["email"]["html"]
    assert [fault["line"] for fault in shown["faults"]] == [4]


async def test_a_preview_in_a_scene_it_cannot_be_written_in_says_why(running: Running) -> None:
    source = OWN.replace("{{ name or 'customer' }}", "{{ name }}")
    body = {"source": source, "sample": "without name"}

    refused = await running.http.post(f"{CLOSED}/preview", json=body)
    unknown = await running.http.post(f"{CLOSED}/preview", json={"sample": "at night"})

    assert refused.status_code == unknown.status_code == 422
    assert "line 4" in refused.json()["detail"]
    assert "without name" in unknown.json()["detail"]


async def test_a_preview_with_a_real_complaint_speaks_of_it(running: Running) -> None:
    complaint_id = await running.acknowledge(phone="+8613800138000")
    number = str(running.neighbours.contacts[complaint_id]["number"])
    body = {"complaint_id": complaint_id}

    said = await running.http.post("/v1/templates/acknowledgement/zh-CN/preview", json=body)
    not_yet = await running.http.post("/v1/templates/closed/zh-CN/preview", json=body)
    unknown = await running.http.post(f"{CLOSED}/preview", json={"complaint_id": "nobody"})

    assert "订单少了两件" in said.json()["email"]["text"]
    assert number in said.json()["sms"]["text"]
    assert number in not_yet.json()["sms"]["text"]
    assert "王芳" in not_yet.json()["email"]["text"]
    assert unknown.status_code == 404


async def test_a_trial_goes_through_the_gateway_marked_and_counts_as_no_notice(
    running: Running,
) -> None:
    body = {"channel": "email", "address": "me@example.com"}
    headers = {"Idempotency-Key": "k1"}
    path = "/v1/templates/proposal/zh-CN/test-send"

    first = await running.http.post(path, json=body, headers=headers)
    again = await running.http.post(path, json=body, headers=headers)

    (file,) = (running.platform.home / "outbox").glob("[!.]*")
    assert "Subject: 【测试】" in file.read_text(encoding="utf-8")
    assert (first.status_code, first.json()["state"]) == (200, "sent")
    assert first.json()["address_masked"] == "m***@example.com"
    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert (await running.http.get("/v1/notifications")).json()["items"] == []
    listed = (await running.http.get("/v1/templates/trials")).json()["items"]
    assert [one["id"] for one in listed] == [first.json()["id"]]


@pytest.mark.parametrize(
    ("channel", "address"),
    [("sms", "me@example.com"), ("email", "+8613800138000"), ("sms", "12"), ("email", "a@b c")],
)
async def test_a_trial_to_no_address_is_refused(
    running: Running, channel: str, address: str
) -> None:
    body = {"channel": channel, "address": address}

    refused = await running.http.post(f"{CLOSED}/test-send", json=body)

    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "/address"


async def test_nobody_sends_trials_without_end(running: Running) -> None:
    body = {"channel": "sms", "address": "+86 138 0013 8000"}

    answers = [await running.http.post(f"{CLOSED}/test-send", json=body) for _ in range(21)]

    assert [answer.status_code for answer in answers] == [200] * 20 + [429]
    assert 0 < int(answers[-1].headers["retry-after"]) <= 3600


async def test_a_gateway_that_refuses_a_trial_is_told_of(
    running: Running,
) -> None:
    running.platform.home.mkdir()
    (running.platform.home / "outbox").write_bytes(b"a file where the folder should be")
    body = {"channel": "sms", "address": "+8613800138000"}

    answer = (await running.http.post(f"{CLOSED}/test-send", json=body)).json()

    assert answer["state"] == "failed"
    assert "outbox" in answer["reason"]


@pytest.mark.parametrize(
    ("role", "reads", "writes", "tests"),
    [
        (Role.QUALITY, 200, 200, 200),
        (Role.ADMIN, 200, 200, 200),
        (Role.AGENT, 200, 403, 403),
        (Role.MANAGER, 200, 403, 403),
        (Role.ANALYST, 403, 403, 403),
    ],
)
async def test_who_may_do_what_with_wordings(
    running: Running, role: Role, reads: int, writes: int, tests: int
) -> None:
    key = running.platform.keys.create(role=role, name="somebody")
    running.http.headers["authorization"] = f"Bearer {key}"
    trial = {"channel": "sms", "address": "+8613800138000"}

    assert (await running.http.get(CLOSED)).status_code == reads
    assert (await put(running.http)).status_code == writes
    assert (await running.http.post(f"{CLOSED}/test-send", json=trial)).status_code == tests


async def test_what_a_customer_wrote_is_not_previewed_by_who_may_not_read_it(
    running: Running,
) -> None:
    key = running.platform.keys.create(role=Role.INTEGRATION, name="crm")
    running.http.headers["authorization"] = f"Bearer {key}"

    refused = await running.http.post(f"{CLOSED}/preview", json={"complaint_id": "x"})

    assert refused.status_code == 403


# -- in messages --------------------------------------------------------------------------------


async def speak(database: Database, source: str, *, version: int = 1) -> None:
    """Have a version speak, past the checks: as another process or an older release would."""
    row = {
        "kind": "closed",
        "locale": "zh-CN",
        "version": version,
        "source": source,
        "base": "",
        "author": "quality",
        "created_at": START,
        "state": "active",
    }
    async with database.write() as connection:
        await connection.execute(update(template_versions).values(state="retired"))
        await connection.execute(insert(template_versions).values(row))


async def close(notification: Notification) -> str:
    """Have a case closed and its customer told; returns what they read."""
    complaint = received()
    notification.knows(complaint, phone="+8613800138000")
    closing = Closed(
        complaint_id=complaint.complaint_id,
        number=complaint.number,
        state="closed",
        version=9,
        outcome="solved",
    )
    known = set(notification.files())
    await notification.hear(complaint, closing)
    await notification.deliver()
    (file,) = set(notification.files()) - known
    return file.read_text(encoding="utf-8")


async def used(notification: Notification) -> list[str | None]:
    chosen = select(notifications.c.template_version).order_by(notifications.c.id)
    async with notification.database.read() as connection:
        return list(await connection.scalars(chosen))


async def test_a_version_that_another_process_activated_speaks_within_seconds(
    notification: Notification,
) -> None:
    await close(notification)
    await speak(notification.database, OWN)

    at_once = await close(notification)
    notification.clock.advance(timedelta(seconds=3))
    later = await close(notification)

    assert "is closed. Thank you!" not in at_once
    assert "is closed. Thank you!" in later
    assert await used(notification) == ["built-in", "built-in", "1"]


async def test_a_clock_that_was_set_back_keeps_no_old_wording_speaking(
    notification: Notification,
) -> None:
    await close(notification)
    await speak(notification.database, OWN)

    notification.clock.advance(timedelta(seconds=-1))

    assert "is closed. Thank you!" in await close(notification)


@pytest.mark.parametrize(
    "source",
    [
        OWN.replace("{{ number }} is closed. Thank", "{{ at(name) }} Thank"),
        OWN.replace("{{ number }} is closed. Thank", "{{ reference }} Thank"),
        OWN.replace("{{ number }} is closed. Thank", "{{ of_an_older_release }} Thank"),
        OWN.replace("block sms", "block short_message"),
        "{% block sms",
    ],
)
async def test_a_broken_wording_never_takes_a_message_down(
    notification: Notification, source: str
) -> None:
    await speak(notification.database, source)
    before = failures()

    with capture_logs() as logs:
        told = await close(notification)

    assert "已经办结归档" in told
    assert await used(notification) == ["built-in"]
    assert failures() == before + 1
    (alarm,) = [entry for entry in logs if entry["event"] == "template.failed"]
    assert (alarm["log_level"], alarm["version"]) == ("error", "1")
    assert "王芳" not in str(alarm)


def failures() -> float:
    labels = {"kind": "closed", "locale": "zh-CN"}
    return REGISTRY.get_sample_value("redress_template_failures_total", labels) or 0.0
