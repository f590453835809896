"""From a signal on the log to mails in the outbox, on what each profile runs on."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.bus.kafka import KafkaBus
from shared.bus.local_log import LocalLog
from shared.bus.port import Bus
from shared.events import topics
from shared.events.signals import HotspotDetected, IncidentOpened
from shared.kernel.ids import new_id
from tests.contract.messaging_kit import eventually
from tests.harness.databases import MakeMigratedUrl
from tests.service.notification.conftest import START, Neighbours
from tests.service.notification.running import Running, neighbours, running_over

__all__ = ["neighbours"]


@pytest.fixture(
    params=["embedded", pytest.param("services", marks=[pytest.mark.postgres, pytest.mark.kafka])]
)
def profile(request: pytest.FixtureRequest) -> str:
    """SQLite and the local log, or PostgreSQL and Kafka."""
    name: str = request.param
    return name


@pytest.fixture
def migrated(profile: str, request: pytest.FixtureRequest) -> str:
    made = "migrated_sqlite_url" if profile == "embedded" else "migrated_postgres_url"
    make: MakeMigratedUrl = request.getfixturevalue(made)
    return make("notification")


@pytest.fixture
async def bus(profile: str, request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bus]:
    if profile == "embedded":
        opened: Bus = LocalLog(tmp_path / "log.db")
    else:
        opened = KafkaBus(request.getfixturevalue("kafka_bootstrap"), session_timeout_seconds=6)
    await opened.start()
    await opened.ensure_topics()
    yield opened
    await opened.stop()


def hotspot() -> HotspotDetected:
    return HotspotDetected(
        hotspot=new_id(), category="logistics.short", department="logistics",
        count=9, usual=1.5, since=START, until=START,
    )  # fmt: skip


def mails(running: Running) -> Counter[str]:
    """Count the mails in the outbox by what they are about and for whom."""
    found: Counter[str] = Counter()
    for path in (running.platform.home / "outbox").glob("[!.]*.eml"):
        to = path.read_text(encoding="utf-8").split("To: ")[1].split("@")[0]
        kind = "hotspot" if "staff_hotspot" in path.name else "incident"
        found[f"{kind} {to}"] += 1
    return found


async def test_signals_reach_exactly_the_right_people_once(
    bus: Bus,
    neighbours: tuple[Neighbours, str],
    migrated: str,
    tmp_path: Path,
) -> None:
    told, _url = neighbours
    told.people = [
        {"id": name, "role": role, "department": department, "email": f"{name}@example.com"}
        for name, role, department in (
            ("li", "agent", "logistics"),
            ("zheng", "lead", "logistics"),
            ("feng", "manager", "logistics"),
            ("liu", "manager", "service"),
            ("tang", "quality", "quality"),
        )
    ]
    rising = hotspot()
    opened = IncidentOpened(incident=new_id(), department="logistics", owner="li", complaints=9)
    expected = Counter(
        {
            "hotspot zheng": 1, "hotspot feng": 1, "hotspot tang": 1,
            "incident li": 1, "incident zheng": 1, "incident feng": 1, "incident tang": 1,
        }
    )  # fmt: skip

    async with running_over(bus, neighbours, migrated, tmp_path) as running:
        await running.publish(rising, opened)
        await eventually(lambda: _is_so(mails(running) == expected))
        # As a relay repeats what it does not know to be published; the last one shows the end.
        last = hotspot()
        await running.publish(rising, opened, rising, last)
        later = expected + Counter({f"hotspot {one}": 1 for one in ("zheng", "feng", "tang")})
        await eventually(lambda: _is_so(mails(running) >= later))
        answer = await running.http.get("/v1/notifications", params={"about": opened.incident})
        page = await running.http.get("/outbox", params={"complaint": rising.hotspot, "lang": "en"})

    assert mails(running) == later
    items = answer.json()["items"]
    assert {item["complaint_id"] for item in items} == {None}
    assert items[0]["about"] == {"kind": "incident", "id": opened.incident}
    assert "Hot spot" in page.text
    assert rising.hotspot in page.text
    assert await _told_of(bus, rising.hotspot) == 0


async def _is_so(condition: bool) -> bool:
    return condition


async def _told_of(bus: Bus, subject: str) -> int:
    """Count what was said of messages about something."""
    places = await bus.end_positions(topics.NOTIFICATIONS)
    reader = await bus.reader(dict.fromkeys(places, 0))
    count = 0
    async with asyncio.timeout(20):
        while records := await reader.poll(max_records=500, timeout_seconds=0.5):
            count += sum(record.key == subject for record in records)
    await reader.close()
    return count
