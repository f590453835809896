"""A file of facts that breaks is put back from its copy, and only what came since is read again."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest
from prometheus_client import REGISTRY

from services.analytics_service.projections.repository.files import Copies
from services.analytics_service.projections.repository.store import StuckWriter
from shared.bus.memory import MemoryLog
from tests.service.analytics.conftest import Running, serving
from tests.service.analytics.story import Log, tell_many

FILE = "analytics.duckdb"
PATHS = ("heatmap", "geo", "resolution-times?group_by=category", "sla?group_by=channel", "trend")


async def _answers(running: Running) -> list[str]:
    return [(await running.client.get(f"/v1/analytics/{path}")).text for path in PATHS]


async def _copied_home(home: Path, bus: MemoryLog, told: Log) -> list[str]:
    """Fold what was told, take a copy and stop; returns the answers."""
    async with serving(home, bus) as running:
        await running.hear(told)
        await running.parts.copying.look()
        return await _answers(running)


def _folded() -> float:
    return REGISTRY.get_sample_value("redress_analytics_folded_total") or 0.0


def _as_garbage(path: Path) -> None:
    path.write_bytes(b"no database at all" * 1000)


def _as_older_layout(path: Path) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute("UPDATE meta SET layout = 0")


def _copies(home: Path) -> Copies:
    return Copies(home / FILE)


def _copied(home: Path) -> Path:
    (copy,) = _copies(home).newest_first()
    return copy.folder / FILE


def _set_aside(home: Path) -> int:
    return len(list(home.glob(f"{FILE}.set-aside-*")))


def _opened_by_another_process(path: Path) -> str:
    """Return what DuckDB has against it."""
    program = f"import duckdb; duckdb.connect({str(path)!r})"
    command = [sys.executable, "-c", program]
    return subprocess.run(command, capture_output=True, text=True, check=False).stderr


async def test_a_broken_file_is_put_back_and_only_what_came_since_is_read(
    tmp_path: Path, bus: MemoryLog
) -> None:
    log = tell_many(80).records
    async with serving(tmp_path, bus) as running:
        await running.hear(log[:300])
        await running.parts.copying.look()
        await running.hear(log[300:])
        expected = await _answers(running)
    _as_garbage(tmp_path / FILE)
    before = _folded()

    async with serving(tmp_path, bus) as running:
        await running.caught_up()

        assert await _answers(running) == expected
    assert _folded() - before == len(log) - 300
    assert _set_aside(tmp_path) == 1


async def test_a_copy_holds_what_was_committed_last_while_somebody_reads(
    tmp_path: Path, bus: MemoryLog
) -> None:
    async with serving(tmp_path, bus) as running:
        await running.hear(tell_many(40))
        reader = running.parts.serving.store.cursor().begin()
        assert reader.execute("SELECT count(*) FROM facts").fetchone() == (40,)
        log = tell_many(41).records
        await running.hear([record for record in log if record.key == log[-1].key])

        await running.parts.copying.look()

        with duckdb.connect(str(_copied(tmp_path))) as copy:
            assert copy.execute("SELECT count(*) FROM facts").fetchone() == (41,)
        reader.rollback()


async def test_nobody_else_can_write_to_the_file_after_it_was_copied(
    tmp_path: Path, bus: MemoryLog
) -> None:
    async with serving(tmp_path, bus) as running:
        await running.hear(tell_many(5))
        await running.parts.copying.look()

        refusal = await asyncio.to_thread(_opened_by_another_process, tmp_path / FILE)

    assert "lock" in refusal


async def test_a_copy_is_taken_when_the_last_is_a_day_old(tmp_path: Path, bus: MemoryLog) -> None:
    copies = _copies(tmp_path)

    async with serving(tmp_path, bus) as running:
        look = running.parts.copying.look
        await look()
        assert copies.newest_first() == []  # there is nothing yet
        await running.hear(tell_many(5))
        await look()
        (first,) = copies.newest_first()
        running.clock.advance(timedelta(hours=23, minutes=59))
        await look()
        assert copies.newest_first() == [first]

        running.clock.advance(timedelta(minutes=1))
        await look()

        (second,) = copies.newest_first()
        assert second.taken_at == first.taken_at + timedelta(days=1)
        taken = REGISTRY.get_sample_value("redress_analytics_copy_timestamp_seconds")
        assert taken == second.taken_at.timestamp()


async def test_a_copy_that_cannot_be_taken_leaves_the_last_and_is_tried_again(
    tmp_path: Path, bus: MemoryLog
) -> None:
    async with serving(tmp_path, bus) as running:
        await running.hear(tell_many(5))
        await running.parts.copying.look()
        (first,) = _copies(tmp_path).newest_first()
        running.clock.advance(timedelta(days=1))
        away = tmp_path / "away"
        (tmp_path / FILE).rename(away)  # as a disk that gives nothing back would look
        (tmp_path / FILE).mkdir()

        await running.parts.copying.look()

        assert _copies(tmp_path).newest_first() == [first]
        (tmp_path / FILE).rmdir()
        away.rename(tmp_path / FILE)
        await running.parts.copying.look()
        (second,) = _copies(tmp_path).newest_first()
        assert second.taken_at > first.taken_at
        assert (await running.get("heatmap"))["total"] == 5


async def test_what_a_killed_copying_left_is_no_copy(tmp_path: Path, bus: MemoryLog) -> None:
    async with serving(tmp_path, bus) as running:
        await running.hear(tell_many(5))
        await running.parts.copying.look()
        unfinished = _copies(tmp_path).folder / "unfinished"
        unfinished.mkdir()
        (unfinished / FILE).write_bytes(b"half")
        assert len(_copies(tmp_path).newest_first()) == 1

        running.clock.advance(timedelta(days=1))
        await running.parts.copying.look()

        assert len(_copies(tmp_path).newest_first()) == 1
        assert not unfinished.exists()


@pytest.mark.parametrize("spoil", [_as_garbage, _as_older_layout])
async def test_where_the_copy_cannot_be_used_either_the_log_is_read_from_its_beginning(
    tmp_path: Path, bus: MemoryLog, spoil: Callable[[Path], None]
) -> None:
    expected = await _copied_home(tmp_path, bus, tell_many(30))
    spoil(tmp_path / FILE)
    spoil(_copied(tmp_path))

    async with serving(tmp_path, bus) as running:
        await running.caught_up()
        assert await _answers(running) == expected
    assert _copies(tmp_path).newest_first() == []


def _grow(path: Path) -> None:
    """Add rows that are in no log: so many that opening does not read all of the file."""
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "INSERT INTO facts (complaint_id, number, received_at, category, channel) "
            "SELECT '01900000-0000-7000-8000-000000000000'::UUID, 'C' || range, "
            "TIMESTAMP '2026-11-01' + INTERVAL (range) SECOND, 'x' || (hash(range) % 999), 'web' "
            "FROM range(300_000)"
        )


def _damage(path: Path) -> None:
    """Change blocks of an open file on the disk, as a failing one does; in a process of its own."""
    program = f"""
with open({str(path)!r}, "rb+") as file:
    for place in range(300_000, file.seek(0, 2) - 300_000, 4096):
        file.seek(place)
        file.write(b"Z" * 64)
"""
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize("times", [1, 2])
async def test_a_file_that_turns_out_to_be_damaged_is_replaced_while_it_is_served(
    tmp_path: Path, bus: MemoryLog, times: int
) -> None:
    expected = await _copied_home(tmp_path, bus, tell_many(30))
    await asyncio.to_thread(_grow, tmp_path / FILE)
    if times > 1:
        await asyncio.to_thread(_grow, _copied(tmp_path))
    question = "/v1/analytics/heatmap?rows=category&columns=week"

    async with serving(tmp_path, bus) as running:
        await running.caught_up()
        for _ in range(times):
            await asyncio.to_thread(_damage, tmp_path / FILE)
            response = await running.client.get(question)
            assert response.status_code == 503, response.text
            assert "damaged" in response.json()["detail"]

        await running.caught_up()
        assert await _answers(running) == expected
        # What is damaged again soon after may have come back damaged.
        assert len(_copies(tmp_path).newest_first()) == 2 - times


async def test_a_writer_that_meets_damage_has_the_file_replaced(
    tmp_path: Path, bus: MemoryLog
) -> None:
    await _copied_home(tmp_path, bus, tell_many(30))
    await asyncio.to_thread(_grow, tmp_path / FILE)

    async with serving(tmp_path, bus) as running:
        await running.caught_up()
        await asyncio.to_thread(_damage, tmp_path / FILE)
        store = running.parts.serving.store
        everything = "SELECT max(number), max(category), max(received_at) FROM facts"

        with pytest.raises(duckdb.Error, match="Corrupt"):
            await running.parts.serving.write(lambda: store.cursor().execute(everything).fetchall())

        assert running.parts.serving.store.count() == 30


async def test_a_file_that_does_not_open_again_is_replaced(tmp_path: Path, bus: MemoryLog) -> None:
    async with serving(tmp_path, bus) as running:
        await running.hear(tell_many(30))
        await running.parts.copying.look()

        def fail() -> None:
            running.parts.serving.store.close()
            _as_garbage(tmp_path / FILE)
            raise StuckWriter("no memory even to roll back")

        with pytest.raises(StuckWriter):
            await running.parts.serving.write(fail)

        await running.caught_up()
        assert (await running.get("heatmap"))["total"] == 30


async def test_a_rebuild_forgets_the_copy(tmp_path: Path, bus: MemoryLog) -> None:
    async with serving(tmp_path, bus) as running:
        await running.hear(tell_many(5))
        await running.parts.copying.look()

        response = await running.client.post("/v1/internal/analytics/rebuild")

        assert response.status_code == 200, response.text
        assert _copies(tmp_path).newest_first() == []


async def test_a_copy_of_another_log_is_not_put_back(tmp_path: Path, bus: MemoryLog) -> None:
    other = MemoryLog()
    await other.ensure_topics()
    await _copied_home(tmp_path, other, tell_many(30))

    async with serving(tmp_path, bus) as running:
        await running.hear(tell_many(3, seed=9))

        assert (await running.get("heatmap"))["total"] == 3
        assert _copies(tmp_path).newest_first() == []


async def test_a_file_that_somebody_took_away_is_not_put_back(
    tmp_path: Path, bus: MemoryLog
) -> None:
    """Who deletes a projection wants it made anew."""
    await _copied_home(tmp_path, bus, tell_many(5))
    (tmp_path / FILE).unlink()
    before = _folded()

    async with serving(tmp_path, bus) as running:
        await running.caught_up()

    assert _folded() - before == len(tell_many(5).records)


async def test_none_is_taken_where_the_setting_says_so(
    tmp_path: Path, bus: MemoryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDRESS_ANALYTICS_COPY_HOURS", "0")
    monkeypatch.setattr("services.analytics_service.projections.jobs.copying._LOOK_SECONDS", 0.01)
    async with serving(tmp_path, bus) as running:
        await running.hear(tell_many(5))
        await asyncio.sleep(0.5)  # fifty looks

    assert _copies(tmp_path).newest_first() == []


async def test_copies_are_taken_by_themselves(
    tmp_path: Path, bus: MemoryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.analytics_service.projections.jobs.copying._LOOK_SECONDS", 0.01)
    async with serving(tmp_path, bus) as running:
        await running.hear(tell_many(5))
        for _ in range(500):
            if _copies(tmp_path).newest_first():
                break
            await asyncio.sleep(0.01)
        else:
            pytest.fail("no copy was taken")
