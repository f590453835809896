"""Mails that come back: a bounce is tied to what was in the mail."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from shared.events.cases import CaseAssigned
from tests.service.notification.conftest import received
from tests.service.notification.receipts.desk import TOKEN, Desk
from tests.service.notification.telling import fact
from tests.service.notification.test_digests import WANG, rows


def bounce(message_id: str, *, action: str = "failed", returned: str = "message/rfc822") -> bytes:
    lines: Sequence[str] = [
        "From: MAILER-DAEMON@mail.example.net",
        "To: service@example.com",
        "Subject: Undelivered Mail Returned to Sender",
        "MIME-Version: 1.0",
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b1"',
        "",
        "--b1",
        "Content-Type: text/plain; charset=utf-8",
        "",
        "I could not deliver your mail to <wang@example.com>.",
        "",
        "--b1",
        "Content-Type: message/delivery-status",
        "",
        "Reporting-MTA: dns; mail.example.net",
        "",
        "Final-Recipient: rfc822; wang@example.com",
        f"Action: {action}",
        "Status: 5.1.1 (bad mailbox)",
        "Diagnostic-Code: smtp; 550 5.1.1 <wang@example.com>: user unknown",
        "",
        "--b1",
        f"Content-Type: {returned}",
        "",
        "From: Redress <service@example.com>",
        "To: wang@example.com",
        f"Message-ID: <{message_id}@example.com>",
        "Subject: =?utf-8?b?5oqV6K+J?=",
        "",
        "...",
        "--b1--",
        "",
    ]
    return "\r\n".join(lines).encode()


@pytest.mark.parametrize("returned", ["message/rfc822", "text/rfc822-headers"])
async def test_a_mail_that_comes_back_is_tied_to_its_message(desk: Desk, returned: str) -> None:
    complaint = await desk.acknowledge(phone="")
    message = await desk.message(complaint)
    assert message["channel"] == "email"

    answer = await desk.http.post(
        f"/v1/receipts/mail/{TOKEN}", content=bounce(str(message["id"]), returned=returned)
    )
    await desk.desk.apply()
    await desk.notification.deliver()

    assert answer.json() == {"new": 1}
    assert await desk.standing(complaint) == ("undelivered", "email", "undelivered: smtp 5.1.1")


async def test_a_digest_that_comes_back_was_told_to_nobody_in_any_of_its_parts(desk: Desk) -> None:
    notification = desk.notification
    notification.digest_every = timedelta(minutes=30)
    notification.neighbours.people = [WANG]
    desk.use("aliyun")
    cases = [received() for _ in range(3)]
    for complaint in cases:
        await notification.hear(complaint, fact(CaseAssigned, complaint, owner="wang.wei"))
    notification.clock.advance(timedelta(minutes=30))
    await notification.deliver()
    (mail,) = desk.email.taken

    path, report = f"/v1/receipts/mail/{TOKEN}", bounce(mail.reference)
    answers = [await desk.http.post(path, content=report) for _ in range(2)]
    await desk.desk.apply()
    await notification.deliver()

    assert [answer.json() for answer in answers] == [{"new": 3}, {"new": 0}]
    assert [found[:3] for found in await rows(notification)] == [
        ("wang.wei", "undelivered", "undelivered: smtp 5.1.1")
    ] * len(cases)


async def test_a_mail_that_is_only_late_is_no_bad_news(desk: Desk) -> None:
    complaint = await desk.acknowledge(phone="")
    message = await desk.message(complaint)

    answer = await desk.http.post(
        f"/v1/receipts/mail/{TOKEN}", content=bounce(str(message["id"]), action="delayed")
    )

    assert answer.json() == {"new": 0}
    assert await desk.desk.apply() == 0


@pytest.mark.parametrize("name", ["", "@", "<", "=?nope?q?x?=", "a" * 5000, "\xff"])
async def test_headers_that_other_servers_mangled_are_no_bounce_of_ours(
    desk: Desk, name: str
) -> None:
    answer = await desk.http.post(f"/v1/receipts/mail/{TOKEN}", content=bounce(name))

    assert answer.status_code == 422
