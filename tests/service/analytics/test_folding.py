"""Counting every complaint once: replays, kills, gaps, poison, rebuilds."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from services.analytics_service.handlers import REACTIONS
from services.analytics_service.projections.domain.facts import COLUMNS
from services.analytics_service.projections.models import FACTS
from services.analytics_service.projections.repository.store import Store, id_groups
from services.analytics_service.projections.service import projector as projecting
from shared.bus.memory import MemoryLog
from shared.bus.port import LoggedRecord
from shared.events import cases, signals
from shared.events.topics import COMPLAINTS, SIGNALS
from shared.kernel.errors import ConfigurationError
from tests.service.analytics.conftest import NOW, Running, serving
from tests.service.analytics.story import BEGAN, Log, Story, id_at, tell_many


def _open(path: Path) -> Store:
    return Store(path, memory_mb=96, threads=1)


def _projector(store: Store) -> projecting.Projector:
    return projecting.Projector(store, REACTIONS, lambda: NOW)


def _content(store: Store) -> list[object]:
    cursor = store.cursor()
    facts = cursor.execute("FROM facts ORDER BY complaint_id").fetchall()
    stages = cursor.execute("FROM stage_changes ORDER BY ALL").fetchall()
    return [facts, stages, store.as_of()]


def _batches(records: list[LoggedRecord], size: int) -> list[list[LoggedRecord]]:
    return [records[at : at + size] for at in range(0, len(records), size)]


def test_the_columns_of_fact_and_table_are_the_same_in_the_same_order() -> None:
    assert tuple(FACTS) == COLUMNS


def test_records_read_again_change_nothing(tmp_path: Path) -> None:
    records = tell_many(200).records
    store = _open(tmp_path / "a.duckdb")
    projector = _projector(store)
    folded = sum(projector.fold(batch) for batch in _batches(records, 97))
    before = _content(store)

    again = sum(projector.fold(batch) for batch in _batches(records, 61))

    assert (folded, again) == (len(records), 0)
    assert _content(store) == before
    assert store.count() == 200


@pytest.mark.parametrize("size", [1, 7, 5000])
def test_the_size_of_batches_does_not_matter(tmp_path: Path, size: int) -> None:
    records = tell_many(60).records
    stores = []
    for name, width in (("one", size), ("other", 23)):
        store = _open(tmp_path / f"{name}.duckdb")
        projector = _projector(store)
        for batch in _batches(records, width):
            projector.fold(batch)
        stores.append(_content(store))

    assert stores[0] == stores[1]


def test_a_complaint_comes_once_and_is_found_again_however_old_its_id(tmp_path: Path) -> None:
    """Partitions are read one after another, and not in the order of ids; files are reopened."""
    log = Log()
    newest = Story(log, id_at(BEGAN + timedelta(days=9), 1), BEGAN).received()
    oldest = Story(log, id_at(BEGAN, 2), BEGAN).received()
    middle = Story(log, id_at(BEGAN + timedelta(days=3), 3), BEGAN).received()
    for story in (oldest, newest, middle):
        story.opened(department="warehouse")
    store = _open(tmp_path / "a.duckdb")

    for record in log.records[:4]:
        _projector(store).fold([record])
    store.close()
    store = _open(tmp_path / "a.duckdb")
    folded = _projector(store).fold(log.records[2:])

    assert (folded, store.count()) == (2, 3)
    departments = store.cursor().execute("SELECT department FROM facts").fetchall()
    assert departments == [("warehouse",)] * 3


def test_notifications_may_come_before_or_after_what_they_are_about(tmp_path: Path) -> None:
    records = tell_many(80).records
    complaints = [record for record in records if record.topic == COMPLAINTS]
    messages = [record for record in records if record.topic != COMPLAINTS]
    contents = []
    for name, order in (
        ("as told", records),
        ("messages first", messages + complaints),
        ("messages last", complaints + messages),
    ):
        store = _open(tmp_path / f"{name}.duckdb")
        projector = _projector(store)
        for batch in _batches(order, 50):
            projector.fold(batch)
        assert projector.parked_count == 0
        contents.append(_content(store))

    assert contents[0] == contents[1] == contents[2]


def test_an_event_after_a_gap_waits_for_the_missing_one(tmp_path: Path) -> None:
    log = Log()
    story = Story(log, id_at(BEGAN, 1), BEGAN).received().opened()
    story.after(hours=1).case(cases.InvestigationStarted, state="investigating")
    story.after(hours=1).case(cases.Resolved, state="resolved", outcome="solved", words_id="w")
    received, opened, started, resolved = log.records
    path = tmp_path / "a.duckdb"
    store = _open(path)
    projector = _projector(store)

    projector.fold([received, opened, resolved])

    assert projector.parked_count == 1
    assert store.facts([story.complaint_id])[story.complaint_id].resolved_at is None
    store.close()  # what waits is not forgotten
    store = _open(path)
    projector = _projector(store)
    projector.fold([started])
    assert projector.parked_count == 0
    assert store.parked() == []
    assert store.facts([story.complaint_id])[story.complaint_id].state == "resolved"


def test_a_broken_event_holds_back_its_complaint_only(tmp_path: Path) -> None:
    log = Log()
    healthy = Story(log, id_at(BEGAN, 1), BEGAN).received()
    sick = Story(log, id_at(BEGAN, 2), BEGAN).received()
    opened = sick.opened().log.records.pop()
    log.append(opened.topic, opened.key, b'{"half', opened.headers)
    sick.case(cases.InvestigationStarted, state="investigating")
    healthy.opened()
    log.append(COMPLAINTS, sick.complaint_id, b"{}", (("ce_id", b"1"),))
    store = _open(tmp_path / "a.duckdb")
    projector = _projector(store)

    projector.fold(log.records)

    reasons = [event.reason for event in store.parked()]
    assert any("CaseOpened" in reason for reason in reasons)
    assert any("is missing" in reason for reason in reasons)
    assert len(reasons) == 3
    facts = store.facts([healthy.complaint_id, sick.complaint_id])
    assert facts[healthy.complaint_id].workflow_sequence == 1
    assert facts[sick.complaint_id].workflow_sequence == 0
    assert projector.fold(log.records) == 0
    assert len(store.parked()) == 3


def test_a_key_that_is_no_id_is_parked_and_hurts_nobody(tmp_path: Path) -> None:
    log = Log()
    Story(log, "no-uuid-at-all", BEGAN).received()
    good = Story(log, id_at(BEGAN, 2), BEGAN).received()
    store = _open(tmp_path / "a.duckdb")

    _projector(store).fold(log.records)

    assert store.count() == 1
    assert list(store.facts([good.complaint_id])) == [good.complaint_id]
    assert [event.complaint_id for event in store.parked()] == ["no-uuid-at-all"]


def test_signals_change_no_figure_and_wait_for_nothing(tmp_path: Path) -> None:
    log = Log()
    story = Story(log, id_at(BEGAN, 1), BEGAN).received().opened()
    log.say(
        signals.HotspotDetected(
            hotspot=id_at(BEGAN, 2), category="other", count=9, usual=1, since=BEGAN, until=BEGAN
        ),
        BEGAN,
    )
    log.say(signals.IncidentOpened(incident=id_at(BEGAN, 3)), BEGAN)
    story.case(cases.IncidentLinked, state="assigned", incident=id_at(BEGAN, 3))
    store = _open(tmp_path / "a.duckdb")
    projector = _projector(store)

    projector.fold(log.records)

    assert (store.count(), store.parked()) == (1, [])
    assert store.facts([story.complaint_id])[story.complaint_id].workflow_sequence == 2
    assert {place.topic for place in store.positions()} == {COMPLAINTS, SIGNALS}


def test_old_ids_are_looked_up_apart_from_recent_ones() -> None:
    old = [id_at(BEGAN - timedelta(days=days), days) for days in (400, 300)]
    recent = [id_at(BEGAN + timedelta(minutes=minute), minute) for minute in range(5)]

    groups = id_groups([*recent, *old, recent[0]], at_most=3)

    assert groups == [[old[0]], [old[1]], recent]


_KILLED = """
import sys
from pathlib import Path
from services.analytics_service.handlers import REACTIONS
from services.analytics_service.projections.repository.store import Store
from services.analytics_service.projections.service.projector import Projector
from tests.service.analytics.conftest import NOW
from tests.service.analytics.story import tell_many

store = Store(Path(sys.argv[1]), memory_mb=96, threads=1)
projector = Projector(store, REACTIONS, lambda: NOW)
records = tell_many(400).records
print("ready", flush=True)
for at in range(0, len(records), 40):
    projector.fold(records[at : at + 40])
    print(at, flush=True)
"""


def test_killed_at_any_moment_it_goes_on_where_it_stood(tmp_path: Path) -> None:
    records = tell_many(400).records
    path = tmp_path / "a.duckdb"
    chance = random.Random(7)
    for _ in range(4):
        process = subprocess.Popen(
            [sys.executable, "-c", _KILLED, str(path)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        for _ in range(chance.randrange(2, 12)):  # somewhere within a later batch
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        store = _open(path)
        _assert_consistent(store, records)
        store.close()

    store = _open(path)
    projector = _projector(store)
    projector.fold(records)
    untouched = _open(tmp_path / "b.duckdb")
    _projector(untouched).fold(records)
    assert _content(store) == _content(untouched)


def _assert_consistent(store: Store, records: list[LoggedRecord]) -> None:
    """Effects and positions are of one moment: what lies before them is in, the rest is out."""
    positions = store.positions()
    read = [r for r in records if r.offset < positions.get((r.topic, r.partition), 0)]  # type: ignore[call-overload]
    expected = {record.key for record in read if record.topic == COMPLAINTS}
    cursor = store.cursor()
    found = cursor.execute(
        "SELECT complaint_id::VARCHAR, intake_sequence + workflow_sequence + notification_sequence "
        "FROM facts"
    ).fetchall()
    assert {row[0] for row in found} == expected
    assert sum(row[1] for row in found) == len(read)


async def test_a_rebuild_ends_with_identical_answers(analytics: Running) -> None:
    await analytics.hear(tell_many(150))
    paths = (
        "heatmap",
        "geo",
        "resolution-times?group_by=category",
        "sla?group_by=channel",
        "trend",
    )
    before = [(await analytics.client.get(f"/v1/analytics/{path}")).text for path in paths]

    response = await analytics.client.post("/v1/internal/analytics/rebuild")

    assert response.status_code == 200, response.text
    assert response.json()["facts"] == 150
    after = [(await analytics.client.get(f"/v1/analytics/{path}")).text for path in paths]
    assert after == before
    log = tell_many(151)
    await analytics.hear([r for r in log.records if r.key == log.records[-1].key])
    assert (await analytics.get("heatmap"))["total"] == 151


async def test_started_again_it_keeps_what_it_had(tmp_path: Path, bus: MemoryLog) -> None:
    async with serving(tmp_path, bus) as running:
        await running.hear(tell_many(30))

    async with serving(tmp_path, bus) as running:
        await running.caught_up()
        assert (await running.get("heatmap"))["total"] == 30


@pytest.mark.parametrize("damage", ["garbage", "older layout", "another database"])
async def test_an_unusable_file_is_set_aside_and_rebuilt_from_the_log(
    tmp_path: Path, bus: MemoryLog, damage: str
) -> None:
    async with serving(tmp_path, bus) as running:
        await running.hear(tell_many(30))
    path = tmp_path / "analytics.duckdb"
    if damage == "garbage":
        path.write_bytes(b"no database at all" * 1000)
    elif damage == "older layout":
        with duckdb.connect(str(path)) as connection:
            connection.execute("UPDATE meta SET layout = 0")
    else:
        path.unlink()
        with duckdb.connect(str(path)) as connection:
            connection.execute("CREATE TABLE other (x INTEGER)")

    async with serving(tmp_path, bus) as running:
        await running.caught_up()
        assert (await running.get("heatmap"))["total"] == 30

    assert _set_aside(tmp_path) == 1


async def test_a_file_of_another_kind_that_somebody_named_is_left_as_it_is(
    tmp_path: Path, bus: MemoryLog
) -> None:
    letters = tmp_path / "letters.json"
    letters.write_text('{"dear": "somebody"}')

    with pytest.raises(ConfigurationError, match=r"REDRESS_ANALYTICS_FILE: .* is no DuckDB file"):
        async with serving(tmp_path, bus, file=letters):
            pytest.fail("it started")

    assert letters.read_text() == '{"dear": "somebody"}'
    async with serving(tmp_path, bus, file=tmp_path / "figures.duckdb"):
        pass
    async with serving(tmp_path, bus, file=tmp_path / "figures.duckdb") as again:
        assert (await again.get("heatmap"))["total"] == 0


def _set_aside(home: Path) -> int:
    return len(list(home.glob("analytics.duckdb.set-aside-*")))


async def test_a_file_that_knows_more_than_the_log_is_set_aside(tmp_path: Path) -> None:
    first, second = MemoryLog(), MemoryLog()
    for bus in (first, second):
        await bus.ensure_topics()
    async with serving(tmp_path, first) as running:
        await running.hear(tell_many(30))

    async with serving(tmp_path, second) as running:
        await running.hear(tell_many(3, seed=9))
        assert (await running.get("heatmap"))["total"] == 3


async def test_operators_see_what_is_parked_and_let_it_go(analytics: Running) -> None:
    log = Log()
    story = Story(log, id_at(BEGAN, 1), BEGAN).received()
    opened = story.opened().log.records.pop()
    log.append(opened.topic, opened.key, b"{", opened.headers)
    story.case(cases.InvestigationStarted, state="investigating")
    await analytics.hear(log)
    letters = "/v1/internal/analytics/dead-letters"

    items = (await analytics.client.get(letters)).json()["items"]

    assert [(item["type"], item["state"]) for item in items] == [
        ("CaseOpened", "dead"),
        ("InvestigationStarted", "parked"),
    ]
    detail = (await analytics.client.get(f"{letters}/{items[0]['id']}")).json()
    assert (detail["data"], detail["complaint_id"]) == ("{", story.complaint_id)
    retried = await analytics.client.post(f"{letters}/{story.complaint_id}/retry")
    assert retried.json()["waiting"] == 2
    dropped = await analytics.client.post(f"{letters}/{items[0]['id']}/drop")
    assert dropped.json() == {"handled": 1, "waiting": 0, "reason": None}
    assert (await analytics.client.get(letters)).json()["items"] == []
    assert (await analytics.client.get(f"{letters}/{items[0]['id']}")).status_code == 404


def test_a_value_that_fits_no_column_is_parked_and_hurts_nobody(tmp_path: Path) -> None:
    log = Log()
    sick = Story(log, id_at(BEGAN, 1), BEGAN).received().opened()
    sick.case(cases.Escalated, state="assigned", level=4000, previous_level=0, cause="breach")
    Story(log, id_at(BEGAN, 2), BEGAN).received().opened()
    store = _open(tmp_path / "a.duckdb")
    projector = _projector(store)

    folded = projector.fold(log.records)

    assert (folded, store.count(), projector.parked_count) == (4, 2, 1)
    assert "refuses" in store.parked()[0].reason


async def test_rebuilding_needs_an_admin(analytics: Running) -> None:
    platform_keys = analytics.client
    response = await platform_keys.post(
        "/v1/internal/analytics/rebuild", headers={"authorization": "Bearer nonsense"}
    )

    assert response.status_code == 401


class _WithoutMemory:
    """A connection whose rollback fails, as DuckDB's does while questions hold all the memory."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> object:
        return getattr(self._connection, name)

    def commit(self) -> None:
        raise duckdb.OutOfMemoryException("failed to allocate data of size 2.0 KiB")

    def rollback(self) -> None:
        self.commit()


async def test_folding_goes_on_after_a_transaction_that_could_not_even_be_rolled_back(
    analytics: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Log()
    Story(log, id_at(BEGAN, 1), BEGAN).received()
    stuck = analytics.parts.serving.store
    monkeypatch.setattr(stuck, "_connection", _WithoutMemory(stuck._connection))

    await analytics.hear(log)

    assert (await analytics.get("heatmap"))["total"] == 1
