"""The whole unit with its loops: from the log, through the database, back to the log."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import httpx

from services.workflow_service.app import build
from shared.bus.local_log import LocalLog
from shared.bus.port import LoggedRecord, Record, TopicPartition
from shared.events import topics
from shared.events.base import EventData
from shared.events.envelope import Envelope
from shared.events.surveys import SurveyAnswered
from shared.http.keys import KeyStore
from shared.kernel.clock import ManualClock
from shared.kernel.ids import new_id
from shared.kernel.settings import CommonSettings
from shared.kernel.vault import new_master_key
from shared.service import Platform
from tests.harness.databases import MakeMigratedUrl
from tests.service.workflow.conftest import START, complaint


async def test_a_complaint_in_the_log_becomes_a_case_whose_breach_is_told_in_order(
    tmp_path: Path, migrated_sqlite_url: MakeMigratedUrl
) -> None:
    clock, bus = ManualClock(START), LocalLog(tmp_path / "log.db")
    await bus.start()
    await bus.ensure_topics()
    unit = build(_platform(tmp_path, migrated_sqlite_url("workflow"), clock, bus))
    await unit.start()
    received = complaint(START)

    await _publish(bus, received, times=2)  # a relay may repeat itself
    await _said(bus, received.complaint_id, until="CaseOpened")
    clock.advance(timedelta(minutes=2))
    said = await _said(bus, received.complaint_id, until="ClockBreached")

    await unit.stop()
    await bus.stop()
    assert [(e.type, e.sequence) for e in said] == [("CaseOpened", 1), ("ClockBreached", 2)]


async def test_an_answer_that_comes_twice_is_recorded_and_reopens_once(
    tmp_path: Path, migrated_sqlite_url: MakeMigratedUrl
) -> None:
    clock, bus = ManualClock(START), LocalLog(tmp_path / "log.db")
    await bus.start()
    await bus.ensure_topics()
    unit = build(_platform(tmp_path, migrated_sqlite_url("workflow"), clock, bus))
    await unit.start()
    received = complaint(START)
    case_id = received.complaint_id
    await _publish(bus, received, times=1)
    await _said(bus, case_id, until="CaseOpened")
    transport = httpx.ASGITransport(app=unit.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as http:
        done = await http.post(f"/v1/cases/{case_id}/resolve", json={"summary": "已补发"})
        assert done.status_code == 200
    clock.advance(timedelta(hours=25))
    await _said(bus, case_id, until="FollowUpDue")
    answer = SurveyAnswered(
        complaint_id=case_id, number=received.number, survey=new_id(), round=1, score=1
    )

    await _publish(bus, answer, times=3)
    said = await _said(bus, case_id, until="Escalated")

    await unit.stop()
    await bus.stop()
    names = [event.type for event in said]
    assert [names.count(name) for name in ("SatisfactionRecorded", "Reopened", "Escalated")] == [
        1,
        1,
        1,
    ]
    assert [event.sequence for event in said] == list(range(1, len(said) + 1))


def _platform(home: Path, url: str, clock: ManualClock, bus: LocalLog) -> Platform:
    settings = CommonSettings(
        home=home, workflow_database_url=url, workflow_master_key=new_master_key()
    )
    return Platform(
        profile="embedded",
        settings=settings,
        home=home,
        clock=clock,
        bus=bus,
        keys=KeyStore(settings.keys_path),
        replica="workflow-1",
    )


async def _publish(bus: LocalLog, data: EventData, *, times: int) -> None:
    envelope = Envelope(
        id=new_id(),
        source=data.source.value,
        type=type(data).__name__,
        version=1,
        time=START,
        subject=data.subject,
        sequence=1,
    )
    record = Record(
        data.topic, data.subject, data.model_dump_json().encode(), envelope.to_headers()
    )
    producer = await bus.producer()
    await producer.publish([record] * times)
    await producer.close()


async def _said(bus: LocalLog, complaint_id: str, *, until: str) -> list[Envelope]:
    """Read what workflow said of a complaint, waiting for one type at most ten seconds."""
    partition = topics.partition_of(complaint_id)
    place = TopicPartition(topics.COMPLAINTS, partition)
    reader = await bus.reader({place: 0})
    said: list[Envelope] = []
    async with asyncio.timeout(10):
        while not said or said[-1].type != until:
            said += _of_workflow(await reader.poll(max_records=100, timeout_seconds=0.2))
    await reader.close()
    return said


def _of_workflow(records: object) -> list[Envelope]:
    assert isinstance(records, list | tuple)
    envelopes = [
        Envelope.from_headers(record.headers)
        for record in records
        if isinstance(record, LoggedRecord)
    ]
    return [envelope for envelope in envelopes if envelope.source == "/workflow"]
