"""Importing files over HTTP: every row is in, was there before, or is in the reject file."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
import pytest
from sqlalchemy import select, update
from starlette.requests import ClientDisconnect

from services.intake_service.channels.models import imports as imports_table
from services.intake_service.channels.models import rejects as rejects_table
from services.intake_service.channels.service import ImportRequest
from services.intake_service.complaints.models import complaints
from shared.kernel.ids import new_id
from tests.service.intake.conftest import Running

HEADER = "留言编号,留言用户,留言主题,留言时间,留言详情,答复时间\n"
ROWS = (
    "1,U1,少了两件,2019-04-25T09:32:09,周三收到的订单少了两件,2019-05-10T14:56:53\n"
    '2,U2,噪音,2019/04/26 10:00:00,"烧烤店\n\t噪音扰民　整夜",\n'
    "3,U1,工资,2019-04-27T09:32:09,拖欠工资三个月,1900-01-01T00:00:00\n"
)
MINE = """
system: shop
timezone: Asia/Shanghai
fields: {id: no, received_at: date, order: order}
customer: {name: name, phone: phone}
description: ["{text}"]
channel: {default: email}
optional: [order, name, phone]
"""


async def send(
    intake: Running,
    content: str | bytes | AsyncIterator[bytes],
    *,
    mapping: str = "zh-messages",
    form: str = "text/csv",
    import_id: str | None = None,
) -> httpx.Response:
    """Post a file."""
    params = {"mapping": mapping} | ({"id": import_id} if import_id else {})
    body = content.encode() if isinstance(content, str) else content
    return await intake.client.post(
        "/v1/complaints/import", params=params, content=body, headers={"Content-Type": form}
    )


async def rejects(intake: Running, import_id: str) -> list[dict[str, str]]:
    """Read the reject file."""
    response = await intake.client.get(f"/v1/imports/{import_id}/rejects")
    assert response.status_code == 200, response.text
    return list(csv.DictReader(io.StringIO(response.text)))


def counts(answer: dict[str, Any]) -> tuple[int, int, int, int]:
    return answer["read"], answer["accepted"], answer["existing"], answer["rejected"]


async def test_an_import_takes_every_row_over_with_its_original_dates(intake: Running) -> None:
    answer = (await send(intake, HEADER + ROWS)).json()

    assert answer["state"] == "completed"
    assert counts(answer) == (3, 3, 0, 0)
    assert answer["warnings"] == {"time-before-received": 1}
    events = await _events(intake)
    first = events["少了两件", "2019-04-25T01:32:09Z"]
    assert first["imported"] is True
    assert first["source_system"] == "zh-messages"
    assert first["recorded"]["resolved_at"] == "2019-05-10T06:56:53Z"
    assert first["recorded"]["outcome"] == "answered"


async def _events(intake: Running) -> dict[tuple[str, str], dict[str, Any]]:
    found = await intake.client.get("/v1/imports")
    assert found.status_code == 200
    async with intake.parts.messaging.database.read() as connection:
        ids = list(await connection.scalars(select(complaints.c.id).order_by(complaints.c.id)))
    events = [orjson.loads((await intake.events(one, count=1))[0].value) for one in ids]
    names = ("少了两件", "噪音", "工资")
    return {(n, e["received_at"]): e for n, e in zip(names, events, strict=True)}


async def test_sending_a_file_again_changes_nothing(intake: Running) -> None:
    await send(intake, HEADER + ROWS)

    again = (await send(intake, HEADER + ROWS)).json()

    assert counts(again) == (3, 0, 3, 0)


async def test_of_two_rows_with_one_id_the_first_wins(intake: Running) -> None:
    answer = (await send(intake, HEADER + ROWS + ROWS.splitlines(keepends=True)[0])).json()

    assert counts(answer) == (4, 3, 1, 0)


async def test_rows_that_cannot_be_kept_are_in_the_reject_file(intake: Running) -> None:
    bad = (
        ",U,无编号,2019-04-25,文,\n"
        "11,U,无日期,,文,\n"
        "12,U,坏日期,25.4.2019,文,\n"
        "13,U,未来,2999-01-01,文,\n"
        "14,U,,2019-04-25,,\n"
        "15,U,多一列,2019-04-25,文,,x\n"
        "16,U,断行,2019"
    )

    answer = (await send(intake, HEADER + ROWS + bad)).json()

    assert counts(answer) == (10, 3, 0, 7)
    found = await rejects(intake, answer["id"])
    assert [(row["line"], row["reason"]) for row in found] == [
        ("6", "missing-id"),
        ("7", "missing-date"),
        ("8", "invalid-date"),
        ("9", "date-in-future"),
        ("10", "missing-description"),
        ("11", "too-many-columns"),
        ("12", "too-few-columns"),
    ]
    assert found[2]["row"] == "12,U,坏日期,25.4.2019,文,"
    assert "25.4.2019" in found[2]["detail"]


async def test_rejected_rows_are_stored_encrypted(intake: Running) -> None:
    await send(intake, HEADER + "1,秘密用户,主题,昨天,内容,\n")

    async with intake.parts.messaging.database.read() as connection:
        stored = (await connection.execute(select(rejects_table))).one()
    assert "秘密".encode() not in stored.words


async def test_a_missing_column_is_refused_before_anything_is_stored(intake: Running) -> None:
    file = HEADER.replace("留言详情", "留言内容") + ROWS

    response = await send(intake, file)

    assert response.status_code == 422
    problem = response.json()
    assert problem["type"].endswith("missing-column")
    assert "'留言详情' is missing: the nearest is '留言内容'" in problem["detail"]
    assert (await intake.client.get("/v1/imports")).json()["items"][0]["state"] == "failed"
    assert counts((await send(intake, HEADER + ROWS)).json()) == (3, 3, 0, 0)


@pytest.mark.parametrize(
    ("begin", "what"),
    [
        (b"PK\x03\x04\x14\x00", "a workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "old Excel"),
        (b"\x1f\x8b\x08\x00", "compressed by gzip"),
        (b"%PDF-1.7\n", "a PDF"),
    ],
)
@pytest.mark.parametrize("form", ["text/csv", "application/x-ndjson; charset=gb18030"])
async def test_what_is_no_text_is_said_to_be_what_it_is(
    intake: Running, begin: bytes, what: str, form: str
) -> None:
    refusal = await send(intake, begin + b"\n" * 100, form=form)

    assert refusal.status_code == 422
    assert refusal.json()["type"].endswith("/not-text")
    assert what in refusal.json()["detail"]


@pytest.mark.parametrize("name", ["klingon", "base64", "undefined"])
async def test_what_is_no_encoding_is_refused_where_it_is_named(intake: Running, name: str) -> None:
    header = await send(intake, HEADER + ROWS, form=f"text/csv; charset={name}")
    mapping = await intake.client.put(
        "/v1/imports/mappings/mine",
        content=MINE + f"encoding: {name}\n",
        headers={"Content-Type": "application/yaml"},
    )

    assert header.status_code == 415
    assert mapping.status_code == 422
    assert name in header.json()["detail"]
    assert name in mapping.text


async def test_a_wrong_encoding_is_named_with_byte_and_line(intake: Running) -> None:
    file = (HEADER + ROWS).encode() + "4,U,主题,2019-04-25,内容,\n".encode("gb18030")

    response = await send(intake, file)

    assert response.status_code == 422
    offset = len((HEADER + ROWS + "4,U,").encode())
    assert f"byte {offset} (line 6) is not UTF-8" in response.json()["detail"]


async def test_a_file_in_gb18030_is_read_where_the_sender_says_so(intake: Running) -> None:
    file = (HEADER + ROWS).encode("gb18030")

    refused = await send(intake, file)
    read = await send(intake, file, form="text/csv; charset=gb18030")

    assert "it reads as GB18030" in refused.json()["detail"]
    assert counts(read.json()) == (3, 3, 0, 0)


async def test_a_byte_order_mark_and_windows_newlines_do_not_matter(intake: Running) -> None:
    file = "\ufeff" + (HEADER + ROWS).replace("\n", "\r\n")

    assert counts((await send(intake, file)).json()) == (3, 3, 0, 0)


async def test_a_file_may_come_in_pieces_of_any_size(intake: Running) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        data = (HEADER + ROWS).encode()
        for at in range(0, len(data), 7):
            yield data[at : at + 7]

    assert counts((await send(intake, pieces())).json()) == (3, 3, 0, 0)


async def test_ndjson_is_read_line_by_line(intake: Running) -> None:
    lines = [
        {
            "留言编号": 1,
            "留言时间": "2019-04-25",
            "留言主题": "题",
            "留言详情": "文",
            "其他": {"a": 1},
        },
        {"留言编号": "2", "留言时间": "2019-04-25", "留言主题": None, "留言详情": "文\x00字"},
    ]
    file = b"\n".join(orjson.dumps(line) for line in lines) + b'\n{"broken\n[1]\n'

    answer = (await send(intake, file, form="application/x-ndjson")).json()

    assert counts(answer) == (4, 2, 0, 2)
    assert [row["reason"] for row in await rejects(intake, answer["id"])] == ["malformed-json"] * 2


async def test_an_import_commits_while_it_reads_and_resumes_after_the_sender_left(
    intake: Running,
) -> None:
    rows = [f"{n},U{n},题,2019-04-25,正文{n},\n" for n in range(1200)]
    asked = ImportRequest("zh-messages", "csv", id=new_id())
    imports = intake.parts.imports
    seen: list[int] = []

    async def until_gone() -> AsyncIterator[bytes]:
        yield (HEADER + "".join(rows[:1100])).encode()
        seen.append((await imports.get(str(asked.id))).counts.accepted)
        raise ClientDisconnect

    left = await imports.run(asked, until_gone())
    again = (await send(intake, HEADER + "".join(rows), import_id=asked.id)).json()

    assert seen == [1000]
    assert left.state == "interrupted"
    assert (again["state"], counts(again)) == ("completed", (1200, 200, 1000, 0))


async def test_an_import_that_a_kill_left_running_is_interrupted_at_the_next_start(
    intake: Running,
) -> None:
    import_id = new_id()
    await send(intake, HEADER + ROWS, import_id=import_id)
    await _pretend_running(intake, import_id)

    busy = await send(intake, HEADER + ROWS, import_id=import_id)
    await intake.parts.imports.mark_interrupted()
    again = await send(intake, HEADER + ROWS, import_id=import_id)
    ended = await send(intake, HEADER + ROWS, import_id=import_id)

    assert busy.status_code == 409
    assert counts(again.json()) == (3, 0, 3, 0)
    assert ended.status_code == 409


async def _pretend_running(intake: Running, import_id: str) -> None:
    async with intake.parts.messaging.database.write() as connection:
        await connection.execute(
            update(imports_table).where(imports_table.c.id == import_id).values(state="running")
        )


async def test_a_mapping_of_ones_own_is_uploaded_and_used(intake: Running) -> None:
    put = await _put(intake, "shop", MINE)
    file = (
        "no,date,text,name,phone\n"
        "A1,2024-05-01,订单少了一件,王芳,138 0013 8000\n"
        "A2,2024-05-01,发错货,李雷,电话不详\n"
    )

    answer = (await send(intake, file, mapping="shop")).json()

    assert put.status_code == 200, put.text
    assert counts(answer) == (2, 2, 0, 0)
    assert answer["warnings"] == {"phone-unreadable": 1}
    assert "shop" in (await intake.client.get("/v1/imports/mappings")).json()["items"]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("timezone: Asia/Shanghai", "timezone: Asia/Nowhere"),
        ("description: [", "descriptoin: ["),
        ('"{text}"', '"{text"'),
        ("default: email", "default: pigeon"),
        ("optional: [order", "optional: [ordre"),
    ],
)
async def test_a_wrong_mapping_is_refused_with_its_line(
    intake: Running, wrong: str, told: str
) -> None:
    response = await _put(intake, "shop", MINE.replace(wrong, told))

    assert response.status_code == 422
    assert "shop, line " in response.json()["detail"]


async def test_a_mapping_with_an_unknown_category_is_refused(intake: Running) -> None:
    document = MINE + "category: [{column: text, table: {a: logistics.shrt}}]\n"

    response = await _put(intake, "shop", document)

    assert response.status_code == 422
    assert "did you mean logistics.short" in response.json()["detail"]


async def test_the_server_opens_no_path_that_a_client_names(intake: Running) -> None:
    response = await send(intake, HEADER + ROWS, mapping="../../../etc/passwd")

    assert response.status_code == 422
    assert "there are cfpb, chicago-311, nyc-311, zh-messages" in response.json()["detail"]


async def test_another_content_type_is_refused(intake: Running) -> None:
    response = await send(intake, HEADER + ROWS, form="application/json")

    assert response.status_code == 415


async def _put(intake: Running, name: str, document: str) -> httpx.Response:
    return await intake.client.put(
        f"/v1/imports/mappings/{name}",
        content=document.encode(),
        headers={"Content-Type": "application/yaml"},
    )
