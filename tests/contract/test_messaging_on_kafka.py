"""The whole way over the real log: outbox, relay, Kafka, dispatcher."""

from __future__ import annotations

from shared.bus.kafka import KafkaBus
from shared.kernel.ids import new_id
from tests.contract.messaging_kit import Kit, eventually, open_kit, running, started


async def emit(kit: Kit, complaints: list[str], numbers: range) -> None:
    for number in numbers:
        async with kit.messaging.unit_of_work() as unit:
            for complaint in complaints:
                unit.emit(started(complaint), sequence=number)


async def heard_by(kit: Kit, complaints: list[str]) -> dict[str, list[int]]:
    heard = await kit.heard()
    return {c: [sequence for key, sequence in heard if key == c] for c in complaints}


async def test_events_arrive_once_and_in_order_across_restarts_of_every_part(
    kafka_bootstrap: str, database_url: str
) -> None:
    complaints = [new_id() for _ in range(20)]
    for last in (5, 10):
        bus = KafkaBus(kafka_bootstrap, session_timeout_seconds=6)
        async with open_kit(database_url, bus) as kit:
            async with running(kit.relay().run, kit.dispatcher().run):
                await emit(kit, complaints, range(last - 4, last + 1))

                async def all_heard(kit: Kit = kit, last: int = last) -> bool:
                    heard = await heard_by(kit, complaints)
                    return all(len(sequences) >= last for sequences in heard.values())

                await eventually(all_heard, seconds=60)
            assert await heard_by(kit, complaints) == {
                c: list(range(1, last + 1)) for c in complaints
            }
            assert [x for x in await kit.letters.list() if x.complaint_id in complaints] == []
