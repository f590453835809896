"""Messages are found by an index, however many there are."""

from __future__ import annotations

import pytest

from services.notification_service.messages.service.reading import Archive
from shared.http.pagination import PageRequest
from tests.harness.databases import MakeMigratedUrl
from tests.harness.plans import noted, ways
from tests.service.notification.conftest import Notification, opened
from tests.service.notification.telling import known


@pytest.fixture
def migrated_url(migrated_sqlite_url: MakeMigratedUrl) -> MakeMigratedUrl:
    """Let notification lie on SQLite alone: its plans are those of an empty table too."""
    return migrated_sqlite_url


async def test_the_outbox_finds_a_complaint_by_index(notification: Notification) -> None:
    complaint = known(notification)
    await notification.hear(complaint, opened(complaint))
    archive = Archive(database=notification.database, vault=notification.vault)

    with noted("complaints") as statements:
        found = await archive.shown(PageRequest(), complaint.number)

    assert [one.stored.number for one in found] == [complaint.number]
    for table in ("complaints", "notifications"):
        plans = await ways(notification.database, table, statements)
        assert plans
        assert not [plan for plan in plans if plan.startswith("SCAN")]


@pytest.mark.parametrize(
    ("asked", "index"),
    [
        ({"channel": "chat"}, "notifications_channel_idx"),
        ({"state": "failed"}, "notifications_state_idx"),
        ({"channel": "chat", "state": "sent"}, "notifications_channel_idx"),
        ({"channel": "sms", "state": "failed"}, "notifications_state_idx"),
        ({"complaint_id": "c", "state": "sent"}, "notifications_complaint_idx"),
        ({"complaint_id": "c", "channel": "sms", "state": "failed"}, "notifications_complaint_idx"),
    ],
)
async def test_a_list_is_found_by_the_rarest_of_what_is_asked_for(
    notification: Notification, asked: dict[str, str], index: str
) -> None:
    archive = Archive(database=notification.database, vault=notification.vault)

    with noted("notifications") as statements:
        await archive.page(PageRequest(), asked)

    (plan,) = await ways(notification.database, "notifications", statements)
    assert plan.startswith(f"SEARCH notifications USING INDEX {index} ")


async def test_each_filter_holds_by_whichever_index_it_is_found(
    notification: Notification,
) -> None:
    complaint, other = known(notification), known(notification)
    await notification.hear(complaint, other, opened(complaint), opened(other))
    await notification.deliver()
    archive = Archive(database=notification.database, vault=notification.vault)

    async def count(**asked: str) -> int:
        return len(await archive.page(PageRequest(), asked))

    assert await count(channel="sms") == 2
    assert await count(channel="email") == 0
    assert await count(channel="sms", state="sent") == 2
    assert await count(channel="sms", state="failed") == 0
    about = complaint.complaint_id
    assert await count(complaint_id=about, channel="sms", state="sent") == 1
    assert await count(complaint_id=about, channel="sms", state="failed") == 0
