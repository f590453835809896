"""A large file is made ready in a process beside intake, which may die without harm."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

from services.intake_service.channels.service import ImportRequest
from services.intake_service.channels.service.reading import BATCH, BATCHES_BEFORE_A_PROCESS
from shared.kernel.ids import new_id
from tests.harness.processes_beside import processes, started
from tests.service.intake.conftest import Running

HEADER = "留言编号,留言用户,留言主题,留言时间,留言详情,答复时间\n"
FIRST = (BATCHES_BEFORE_A_PROCESS + 1) * BATCH
ROWS = FIRST + 3 * BATCH + 17
REJECTED_EVERY = 100
USERS = 700


def row(number: int) -> str:
    """Return a row; some have no date, and customers come again in later batches."""
    date = "" if number % REJECTED_EVERY == 0 else "2019-04-25"
    return f"{number},U{number % USERS},少了两件,{date},周三收到的订单少了两件{number},\n"


async def test_a_large_file_is_taken_in_by_two_processes(embedded: Running) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield (HEADER + "".join(map(row, range(FIRST)))).encode()
        seen.append((await started()).pid)
        yield "".join(map(row, range(FIRST, ROWS))).encode()

    seen: list[int] = []
    done = await embedded.parts.imports.run(_asked(), pieces())

    rejected = len(range(0, ROWS, REJECTED_EVERY))
    counts = done.counts
    assert (done.state, counts.read, counts.rejected) == ("completed", ROWS, rejected)
    assert counts.accepted == ROWS - rejected
    assert await _stored(embedded) == (counts.accepted, USERS - len(range(0, USERS, 100)))
    assert seen[0] != os.getpid()
    assert processes() == []


async def test_a_file_goes_on_where_the_process_beside_is_killed(embedded: Running) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield (HEADER + "".join(map(row, range(FIRST)))).encode()
        process = await started()
        yield "".join(map(row, range(FIRST, FIRST + BATCH))).encode()
        process.kill()
        yield "".join(map(row, range(FIRST + BATCH, ROWS))).encode()

    done = await embedded.parts.imports.run(_asked(), pieces())

    assert (done.state, done.counts.read) == ("completed", ROWS)
    assert (await _stored(embedded))[0] == done.counts.accepted
    assert processes() == []


async def test_a_file_that_breaks_off_leaves_no_process_and_is_resumed(embedded: Running) -> None:
    async def until_broken() -> AsyncIterator[bytes]:
        yield (HEADER + "".join(map(row, range(FIRST)))).encode()
        await started()
        yield "".join(map(row, range(FIRST, ROWS - 1))).encode()
        raise ConnectionResetError

    async def whole() -> AsyncIterator[bytes]:
        yield (HEADER + "".join(map(row, range(ROWS)))).encode()

    asked = _asked()
    try:
        await embedded.parts.imports.run(asked, until_broken())
    except ConnectionResetError:
        left = await embedded.parts.imports.get(str(asked.id))
    again = await embedded.parts.imports.run(asked, whole())

    assert left.state == "interrupted"
    assert processes() == []
    assert again.counts.existing == left.counts.accepted
    assert again.counts.read == ROWS
    assert (await _stored(embedded))[0] == again.counts.accepted + again.counts.existing


def _asked() -> ImportRequest:
    return ImportRequest("zh-messages", "csv", id=new_id())


async def _stored(intake: Running) -> tuple[int, int]:
    """Return how many complaints and customers there are."""
    async with intake.parts.messaging.database.read() as connection:
        complaints = await connection.exec_driver_sql("SELECT count(*) FROM complaints")
        customers = await connection.exec_driver_sql("SELECT count(*) FROM customers")
        return complaints.scalar_one(), customers.scalar_one()
