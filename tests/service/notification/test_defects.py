"""What cannot be worked off, kept or waited for holds up itself and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from services.notification_service.gateways.domain.port import (
    Outgoing,
    Refused,
)
from services.notification_service.messages import jobs
from services.notification_service.messages.domain import lanes
from services.notification_service.messages.models import hand_overs, notifications
from services.notification_service.messages.repository import deliveries
from services.notification_service.messages.repository.routing import routing_table
from services.notification_service.messages.service import sealing
from services.notification_service.messages.service.preparing import Ready
from shared.events.cases import CaseAssigned
from shared.kernel.vault import Vault
from tests.service.notification.conftest import Notification, opened, received
from tests.service.notification.test_sending import Scripted, gateways, standing


def defective_for(complaint_id: str) -> Callable[..., deliveries.Marked]:
    """Sealing that fails for one complaint."""
    whole = sealing._sealed

    def seal(vault: Vault, one: Ready, text: str, digest_id: str | None) -> deliveries.Marked:
        if one.row.complaint_id == complaint_id:
            raise ZeroDivisionError
        return whole(vault, one, text, digest_id)

    return seal


async def test_one_message_with_a_defect_holds_up_no_other(
    notification: Notification, monkeypatch: pytest.MonkeyPatch
) -> None:
    sms = Scripted()
    notification.use(gateways(sms=sms))
    broken, whole = received(), received()
    for complaint in (broken, whole):
        notification.knows(complaint, phone="+8613800138000")
        await notification.hear(complaint, opened(complaint))

    monkeypatch.setattr(sealing, "_sealed", defective_for(broken.complaint_id))
    await notification.deliver()

    assert [taken.number for taken in sms.taken] == [whole.number]
    assert await standing(notification) == [
        ("queued", None, 0, "defect: ZeroDivisionError"),
        ("sent", "sms", 1, None),
    ]

    monkeypatch.undo()
    notification.clock.advance(timedelta(minutes=5))
    await notification.deliver()

    assert {state for state, *_ in await standing(notification)} == {"sent"}


async def test_a_mail_server_that_hangs_holds_up_no_sms(
    notification: Notification, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = asyncio.Event()

    class Hangs(Scripted):
        async def send(self, message: Outgoing) -> None:
            await over.wait()
            await super().send(message)

    sms, email = Scripted(), Hangs()
    notification.use(gateways(sms=sms, email=email))
    for module, name, value in (
        *((jobs, "_BATCH", 4), (jobs, "_UNDER_WAY", 14)),
        *((lanes, "FULL", 6), (lanes, "MOST", 10)),
    ):
        monkeypatch.setattr(module, name, value)
    for count in range(40):
        complaint = received()
        by = {"email": "w@example.com"} if count < 39 else {"phone": "+8613800138000"}
        notification.knows(complaint, **by)
        await notification.hear(complaint, opened(complaint))

    while await notification.sender.send_batch():
        await notification.sender.settle_gathered()
    assert sms.taken == []
    # What is slow may yet come; what has not moved for so long hangs.
    monkeypatch.setattr(lanes, "STALLED_SECONDS", 0.0)
    while await notification.sender.send_batch():
        await asyncio.sleep(0)
        await notification.sender.settle_gathered()
    assert len(sms.taken) == 1

    over.set()
    await notification.sender.drain()
    await notification.sender.settle_gathered()
    notification.clock.advance(timedelta(minutes=1))
    await notification.deliver()
    assert len({message.reference for message in email.taken}) == len(email.taken) == 39
    assert {(state, attempts) for state, _, attempts, _ in await standing(notification)} == {
        ("sent", 1)
    }


async def test_an_address_with_a_very_long_domain_is_written_to(notification: Notification) -> None:
    email = Scripted()
    notification.use(gateways(email=email))
    complaint = received()
    address = "a@" + ".".join(["d" * 60] * 4)
    notification.knows(complaint, email=address)

    await notification.hear(complaint, opened(complaint))
    await notification.deliver()

    assert await standing(notification) == [("sent", "email", 1, None)]
    assert [message.address for message in email.taken] == [address]


@pytest.mark.parametrize("name", ["x" * 300, "no\0text"])
async def test_a_name_that_cannot_be_kept_leaves_our_own(
    notification: Notification, name: str
) -> None:
    class Odd(Scripted):
        async def send(self, message: Outgoing) -> str:  # type: ignore[override]  # names them
            return name

    notification.use(gateways(sms=Odd()))
    complaint = received()
    notification.knows(complaint, phone="+8613800138000")

    await notification.hear(complaint, opened(complaint))
    await notification.deliver()

    async with notification.database.read() as connection:
        kept = (
            await connection.execute(select(hand_overs.c.reference, hand_overs.c.notification_id))
        ).one()
    assert await standing(notification) == [("sent", "sms", 1, None)]
    assert kept[0] == kept[1]


async def test_a_reason_that_is_no_text_can_be_written(notification: Notification) -> None:
    notification.use(gateways(sms=Scripted([Refused("gateway answered a\0b")])))
    complaint = received()
    notification.knows(complaint, phone="+8613800138000")

    await notification.hear(complaint, opened(complaint))
    await notification.deliver()

    assert await standing(notification) == [("failed", "sms", 1, "gateway answered ab")]


async def test_who_is_told_by_another_row_already_is_told_once(
    notification: Notification, tmp_path: Path
) -> None:
    own = tmp_path / "ours.yaml"
    channels = "calm: [email, sms], urgent: [sms, email]"
    row = f"to_all: {{event: CaseAssigned, to: operators, kind: staff_assignment, {channels}}}"
    own.write_text(row, encoding="utf-8")
    notification.routing = routing_table(own)
    email = Scripted()
    notification.use(gateways(email=email))
    mine, theirs = received(), received()
    notification.neighbours.people = [
        {"id": "li.na", "role": "quality", "email": "li@example.com"},
    ]

    for complaint, owner in ((mine, "li.na"), (theirs, "wang.wei")):
        given = {"complaint_id": complaint.complaint_id, "number": complaint.number}
        fact = CaseAssigned.model_validate(
            given | {"state": "assigned", "version": 2, "owner": owner}
        )
        await notification.hear(complaint, fact)
    await notification.deliver()

    c = notifications.c
    async with notification.database.read() as connection:
        chosen = select(c.recipient, c.state, c.reason).where(c.audience == "staff")
        found = {tuple(row) for row in await connection.execute(chosen)}
    assert [message.number for message in email.taken] == [mine.number, theirs.number]
    assert found == {
        ("li.na", "sent", None),
        ("operators", "skipped", "duplicate"),
        ("wang.wei", "skipped", "no_address"),
    }
