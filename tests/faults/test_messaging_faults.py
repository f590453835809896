"""kill -9 of a writer, and a broker that goes away: what was acknowledged stays, in order."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.kafka import find_kafka, start_kafka
from shared.bus.kafka import KafkaBus
from shared.bus.local_log import LocalLog
from shared.bus.port import Bus
from shared.events import topics
from tests.contract.messaging_kit import Kit, eventually, open_kit, running, started

pytestmark = pytest.mark.faults

_PUBLISH_FOR_EVER = """
import asyncio, sys
from pathlib import Path
from shared.bus.local_log import LocalLog
from shared.bus.port import Record
from shared.events import topics

async def main(path):
    log = LocalLog(Path(path))
    await log.start()
    await log.ensure_topics()

    async def work(name):
        producer = await log.producer()
        for number in range(10**9):
            await producer.publish([Record(topics.COMPLAINTS, name, b"%d" % number, ())])
            print(name, number, flush=True)

    await asyncio.gather(*(work(f"k{n}") for n in range(8)))

asyncio.run(main(sys.argv[1]))
"""


async def sequences_in(bus: Bus) -> dict[str, list[int]]:
    """Return the sequences of each key in the order of the log, repeats dropped."""
    ends = await bus.end_positions(topics.COMPLAINTS)
    reader = await bus.reader(dict.fromkeys(ends, 0))
    found: dict[str, list[int]] = {}
    left = sum(ends.values())
    while left > 0:
        for record in await reader.poll(max_records=1000, timeout_seconds=1):
            left -= 1
            number = int(dict(record.headers)["ce_sequence"])
            said = found.setdefault(record.key, [])
            if number not in said:
                said.append(number)
    return found


async def test_what_the_local_log_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    acknowledged: dict[str, int] = {}
    for _ in range(3):
        last = _publish_until_killed(path, lines=400)
        acknowledged = {key: acknowledged.get(key, 0) + count for key, count in last.items()}

    log = LocalLog(path)
    await log.start()
    ends = await log.end_positions(topics.COMPLAINTS)
    reader = await log.reader(dict.fromkeys(ends, 0))
    records = await reader.poll(max_records=1_000_000, timeout_seconds=0)
    await log.stop()

    assert len(records) == sum(ends.values())
    for key, count in acknowledged.items():
        runs = "".join("." if r.value == b"0" else "" for r in records if r.key == key)
        assert len([r for r in records if r.key == key]) >= count
        assert runs == "..."


def _publish_until_killed(path: Path, *, lines: int) -> dict[str, int]:
    """Run a publisher, kill it after so many acknowledgements; returns how many of each key."""
    command = [sys.executable, "-c", _PUBLISH_FOR_EVER, str(path)]
    counts: dict[str, int] = {}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _, line in zip(range(lines), process.stdout, strict=False):
            key = line.split()[0]
            counts[key] = counts.get(key, 0) + 1
        process.send_signal(signal.SIGKILL)
    return counts


async def emit(kit: Kit, numbers: range) -> None:
    for number in numbers:
        async with kit.messaging.unit_of_work() as unit:
            for complaint in range(10):
                unit.emit(started(f"c{complaint}"), sequence=number)


async def test_a_broker_that_is_killed_and_comes_back_has_every_event_in_order(
    kafka_folder: Path, sqlite_url: str
) -> None:
    server = start_kafka(kafka_folder, with_parent=True)
    bus = KafkaBus(server.bootstrap)
    async with open_kit(sqlite_url, bus) as kit, running(kit.relay().run):
        await emit(kit, range(1, 41))
        os.kill(server.pid, signal.SIGKILL)
        await emit(kit, range(41, 81))
        while find_kafka(kafka_folder) is not None:
            pass
        start_kafka(kafka_folder, with_parent=True)
        await emit(kit, range(81, 121))

        async def all_published() -> bool:
            return await kit.unpublished() == 0

        await eventually(all_published, seconds=90)
        found = await sequences_in(bus)

    assert found == {f"c{n}": list(range(1, 121)) for n in range(10)}
