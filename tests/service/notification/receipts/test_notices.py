"""Proof of notice: what can be shown of every message, and the alarm where nothing can."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from services.notification_service.gateways.domain.port import NotAccepted, Uncertain
from services.notification_service.notices.domain.proof import Handing, Proof, proof_of
from tests.service.notification.conftest import START
from tests.service.notification.receipts.desk import Desk

DAY = timedelta(hours=24)


async def proof(desk: Desk, complaint: str) -> dict[str, object]:
    """Return the proof of the complaint's only notice."""
    answer = await desk.http.get("/v1/notices", params={"complaint_id": complaint})
    assert answer.status_code == 200, answer.text
    (found,) = answer.json()["items"]
    return dict(found)


async def alerts(desk: Desk, complaint: str) -> int:
    answer = await desk.http.get("/v1/notifications", params={"complaint_id": complaint})
    return [item["kind"] for item in answer.json()["items"]].count("operator_alert")


async def test_a_delivered_notice_shows_its_whole_way_and_not_its_words(desk: Desk) -> None:
    desk.use("aliyun", receipts_after=timedelta(minutes=10))
    complaint = await desk.acknowledge()
    desk.notification.clock.advance(timedelta(seconds=5))
    await desk.aliyun()
    await desk.desk.apply()

    found = await proof(desk, complaint)

    hand_overs = found.pop("hand_overs")
    assert isinstance(hand_overs, list)
    (hand_over,) = hand_overs
    receipt = hand_over.pop("receipt")
    text = desk.sms.taken[0].text
    assert {name: found[name] for name in ("kind", "proof", "state", "to", "mandatory")} == {
        "kind": "acknowledgement",
        "proof": "delivered",
        "state": "delivered",
        "to": "138****8000",
        "mandatory": True,
    }
    assert found["planned_at"] == START.isoformat().replace("+00:00", "Z")
    assert found["delivered_at"] == "2026-11-23T02:00:05Z"
    assert found["template_version"] == "built-in"
    assert hand_over == {
        "channel": "sms",
        "to": "138****8000",
        "gateway": "aliyun",
        "reference": "biz-1",
        "handed_over_at": "2026-11-23T02:00:00Z",
        "digest": hashlib.sha256(text.encode()).hexdigest(),
        "template": "built-in",
        "receipt_due_at": "2026-11-23T02:10:00Z",
        "receipt_missing": False,
    }
    assert receipt.pop("id")
    assert receipt == {
        "arrival": "delivered",
        "code": "DELIVERED",
        "happened_at": "2026-11-23T02:00:05Z",
        "received_at": "2026-11-23T02:00:05Z",
    }
    assert "您" not in str(found)
    assert "13800138000" not in str(found)


async def test_both_ways_of_a_notice_are_shown_where_the_first_failed(desk: Desk) -> None:
    complaint = await desk.acknowledge()
    await desk.aliyun(success=False, err_code="MOBILE_OFF")
    await desk.desk.apply()
    await desk.notification.deliver()

    found = await proof(desk, complaint)

    ways = found["hand_overs"]
    assert isinstance(ways, list)
    assert [(way["channel"], way["gateway"], way["to"]) for way in ways] == [
        ("sms", "aliyun", "138****8000"),
        ("email", "smtp", "w***@example.com"),
    ]
    assert ways[0]["receipt"]["code"] == "MOBILE_OFF"
    mail = desk.email.taken[0]
    words = f"{mail.subject}\n\n{mail.text}"
    assert ways[1]["digest"] == hashlib.sha256(words.encode()).hexdigest()
    assert (found["proof"], found["state"]) == ("accepted", "sent")


async def test_what_an_operator_decided_is_part_of_the_proof(desk: Desk) -> None:
    desk.sms.answers.append(Uncertain("no answer"))
    complaint = await desk.acknowledge()
    message = await desk.message(complaint)
    assert (await proof(desk, complaint))["proof"] == "none"

    await desk.http.post(f"/v1/notifications/{message['id']}/mark-sent")

    found = await proof(desk, complaint)
    assert found["proof"] == "accepted"
    assert found["decisions"] == [
        {
            "action": "mark-sent",
            "was": "unknown",
            "by": "local",
            "at": "2026-11-23T02:00:00Z",
        }
    ]


async def test_a_notice_that_was_not_sent_says_why(desk: Desk) -> None:
    complaint = await desk.acknowledge(phone="", email="")

    found = await proof(desk, complaint)

    assert (found["proof"], found["state"], found["reason"]) == ("none", "skipped", "no_address")
    assert found["hand_overs"] == []


async def test_notices_need_a_complaint_and_the_scope(desk: Desk) -> None:
    without = await desk.http.get("/v1/notices")
    nobody = await desk.http.get("/v1/notices", params={"complaint_id": "none"})

    assert without.status_code == 422
    assert (nobody.status_code, nobody.json()["items"]) == (200, [])


async def test_a_mandatory_notice_without_proof_alarms_once(desk: Desk) -> None:
    desk.sms.answers += [NotAccepted("Aliyun SMS answered isv.AMOUNT_NOT_ENOUGH")] * 99
    complaint = await desk.acknowledge(email="")
    desk.notification.clock.advance(DAY - timedelta(seconds=1))
    assert await desk.notices.watch() == 0

    desk.notification.clock.advance(timedelta(seconds=1))
    with capture_logs() as logged:
        assert await desk.notices.watch() == 1
        assert await desk.notices.watch() == 0

    (alarm,) = [line for line in logged if line["event"] == "notice.unproven"]
    assert (alarm["log_level"], alarm["kind"]) == ("error", "acknowledgement")
    assert await alerts(desk, complaint) == 1


async def test_the_alarm_reaches_every_operator_in_words(desk: Desk) -> None:
    desk.notification.neighbours.people = [
        {"id": "a", "role": "quality", "email": "a@example.com", "locale": "zh-CN"},
        {"id": "b", "role": "admin", "email": "b@example.com", "locale": "en"},
    ]
    desk.sms.answers.append(Uncertain("no answer"))
    await desk.acknowledge(email="")
    desk.notification.clock.advance(DAY)

    await desk.notices.watch()
    await desk.notification.deliver()

    words = {mail.address: mail.text for mail in desk.email.taken}
    assert "没有送达证明" in words["a@example.com"]
    assert "no proof that it arrived" in words["b@example.com"]


async def test_a_proven_notice_alarms_nobody(desk: Desk) -> None:
    accepted = await desk.acknowledge()
    skipped = await desk.acknowledge(phone="", email="")
    desk.notification.clock.advance(DAY)

    await desk.notices.watch()

    assert await alerts(desk, accepted) == 0
    assert await alerts(desk, skipped) == 0
    assert await desk.notices.watch() == 0


async def test_proof_is_asked_for_anew_when_a_notice_did_not_arrive(desk: Desk) -> None:
    complaint = await desk.acknowledge(email="")
    desk.notification.clock.advance(DAY)
    await desk.notices.watch()

    await desk.aliyun(success=False)
    await desk.desk.apply()
    await desk.notification.deliver()
    desk.notification.clock.advance(DAY)
    await desk.notices.watch()

    assert await alerts(desk, complaint) == 1


async def test_proof_is_asked_for_anew_when_an_operator_sends_a_notice_again(desk: Desk) -> None:
    desk.sms.answers.append(Uncertain("no answer"))
    complaint = await desk.acknowledge(email="")
    desk.notification.clock.advance(DAY)
    await desk.notices.watch()
    answer = await desk.http.get("/v1/notifications", params={"complaint_id": complaint})
    notice = min(item["id"] for item in answer.json()["items"])

    desk.sms.answers.append(Uncertain("no answer"))
    assert (await desk.http.post(f"/v1/notifications/{notice}/resend")).status_code == 200
    await desk.notification.deliver()
    desk.notification.clock.advance(DAY)
    await desk.notices.watch()

    assert await alerts(desk, complaint) == 2


async def test_a_receipt_that_is_still_owed_is_waited_for(desk: Desk) -> None:
    desk.use("aliyun", receipts_after=timedelta(hours=30))
    complaint = await desk.acknowledge(email="")
    desk.notification.clock.advance(DAY)

    await desk.notices.watch()
    assert await alerts(desk, complaint) == 0
    desk.notification.clock.advance(timedelta(hours=6))
    await desk.desk.give_up_waiting()
    await desk.notification.deliver()
    desk.notification.clock.advance(DAY)
    await desk.notices.watch()

    assert await alerts(desk, complaint) == 1


@pytest.mark.parametrize(
    ("state", "handings", "expected"),
    [
        ("queued", [], Proof.NONE),
        ("sent", [], Proof.ACCEPTED),
        ("sent", [Handing(None, None)], Proof.ACCEPTED),
        ("sent", [Handing(START, None)], Proof.AWAITED),
        ("sent", [Handing(START, "missing"), Handing(None, None)], Proof.ACCEPTED),
        ("delivered", [], Proof.DELIVERED),
        ("sending", [Handing(START, "delivered")], Proof.DELIVERED),
        ("undelivered", [Handing(START, "undelivered")], Proof.NONE),
        ("failed", [Handing(None, None)], Proof.NONE),
    ],
)
def test_proof_is_a_receipt_or_acceptance_where_there_are_none(
    state: str, handings: list[Handing], expected: Proof
) -> None:
    assert proof_of(state, handings) is expected
