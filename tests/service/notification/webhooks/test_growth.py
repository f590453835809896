"""What is asked of deliveries costs no more where there are many: by an index, not by a walk."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from shared.kernel.ids import new_id
from tests.harness.databases import MakeMigratedUrl
from tests.harness.plans import Statement, noted, ways
from tests.service.notification.webhooks.kit import START, World, event

TABLE = "webhook_deliveries"


@pytest.fixture
def migrated_url(migrated_sqlite_url: MakeMigratedUrl) -> MakeMigratedUrl:
    """Let the world lie on SQLite alone: its plans are those of an empty table too."""
    return migrated_sqlite_url


async def test_a_range_is_sent_again_by_its_times(world: World) -> None:
    webhook, _secret = await world.subscribe("https://crm.example.invalid/hook")
    await world.publish(event(new_id(), 1))
    await world.follow()

    with noted(TABLE) as statements:
        assert await world.resend_range(webhook, START, START + timedelta(minutes=5)) == 1

    plans = await ways(world.database, TABLE, statements[:1])
    assert plans
    assert all("webhook_deliveries_time_idx" in plan for plan in plans), plans
    changes = await ways(world.database, TABLE, statements[1:])
    assert changes
    assert not [plan for plan in changes if "SCAN" in plan or "time_idx" in plan], changes


async def test_a_large_range_is_sent_again_in_small_transactions(world: World) -> None:
    webhook, _secret = await world.subscribe("https://crm.example.invalid/hook")
    await world.publish(*[event(new_id(), n) for _ in range(1_100) for n in (1, 2)])
    await world.follow()
    span = (START, START + timedelta(minutes=5))

    with changed() as rows:
        first = await world.resend_range(webhook, *span)
        again = await world.resend_range(webhook, *span)

    assert first == again == 2_200
    assert len(rows) >= 2 * 3
    assert max(rows) <= 1_000


@contextmanager
def changed() -> Iterator[list[int]]:
    """Note how many deliveries each transaction changed."""
    found: list[int] = []

    def begin(_connection: Any) -> None:
        found.append(0)

    def note(_connection: Any, cursor: Any, text: str, *_more: Any) -> None:
        if text.startswith("UPDATE webhook_deliveries"):
            found[-1] += cursor.rowcount

    sa.event.listen(sa.Engine, "begin", begin)
    sa.event.listen(sa.Engine, "after_cursor_execute", note)
    try:
        yield found
    finally:
        sa.event.remove(sa.Engine, "begin", begin)
        sa.event.remove(sa.Engine, "after_cursor_execute", note)


async def test_a_complaint_is_listed_by_its_id_also_in_one_state(world: World) -> None:
    webhook, _secret = await world.subscribe("https://crm.example.invalid/hook")

    with noted(TABLE) as statements:
        await world.listed(webhook, subject=new_id(), state="delivered")

    plans = await ways(world.database, TABLE, statements)
    assert plans
    assert all("webhook_deliveries_lane_idx" in plan for plan in plans), plans


async def test_many_subscriptions_make_small_transactions(world: World) -> None:
    for number in range(100):
        await world.subscribe(f"https://crm{number}.example.invalid/hook")
    await world.publish(*[event(new_id(), 1) for _ in range(100)])
    stopping = asyncio.Event()

    with noted(TABLE) as statements:
        running = asyncio.create_task(world.webhooks.following.run(stopping))
        async with asyncio.timeout(60):
            while sum(made(statements)) < 100 * 100:
                await asyncio.sleep(0.05)
        stopping.set()
        await running

    assert max(made(statements)) <= 4000


def made(statements: list[Statement]) -> list[int]:
    """Return how many deliveries each statement made."""
    return [len(values) for text, values in statements if text.startswith("INSERT")]
