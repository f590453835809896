"""Files as people have them, read by the command `import` before they are sent."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from datetime import date, datetime, time
from pathlib import Path
from zipfile import ZipFile

import openpyxl
import orjson
import pytest

from services.intake_service.channels.client.files import opened
from services.intake_service.channels.domain.rows import BrokenRow, Columns, NdjsonReader, SourceRow
from shared.kernel.errors import ConfigurationError

Cells = Sequence[object]


def workbook(path: Path, rows: Sequence[Cells], *, title: str = "留言") -> Path:
    """Write a workbook of a hidden sheet and one that is shown."""
    book = openpyxl.Workbook()
    hidden = book.worksheets[0]
    hidden.title, hidden.sheet_state = "notes", "hidden"
    hidden.append(["nothing", "of", "ours"])
    hidden.append([1, 2, 3])
    shown = book.create_sheet(title)
    for row in rows:
        shown.append(list(row))
    book.save(path)
    return path


def read(path: Path, sheet: str | None = None, encoding: str | None = None) -> tuple[str, bytes]:
    """Return what is sent: its form and its bytes."""
    with opened(path, encoding=encoding, sheet=sheet) as source:
        return source.content_type, b"".join(source.pieces)


def rows_of(path: Path, sheet: str | None = None) -> list[SourceRow | BrokenRow]:
    """Return the rows that intake reads of a workbook, by all of its columns."""
    form, body = read(path, sheet)
    assert form == "application/x-ndjson; charset=utf-8"
    found = next(filter(None, body.splitlines()), b"{}")
    reader = NdjsonReader(Columns(tuple(orjson.loads(found)), frozenset()))
    return list(reader.feed(body.decode(), last=True))


def test_cells_are_text_and_lines_are_the_sheets_rows(tmp_path: Path) -> None:
    nearly = datetime(2026, 3, 1, 9, 30, 59, 999_900)  # noqa: DTZ001 - a workbook knows no zones
    file = workbook(
        tmp_path / "a.xlsx",
        [
            [],
            ["编号 ", None, "日期", "电话", "金额", "急", "留言"],
            [
                7,
                "not named",
                nearly,
                13800138000.0,
                12.5,
                True,
                "少了\n两件",
            ],
            [],
            ["8", None, date(2026, 3, 2), None, None, False],
            ["9", None, time(9, 30), "", 1e20, None, "迟了", "beside the table"],
        ],
    )

    found = rows_of(file)

    assert [(row.line, row.values) for row in found if isinstance(row, SourceRow)] == [
        (3, row_of("7", "2026-03-01 09:31:00", "13800138000", "12.5", "TRUE", "少了\n两件")),
        (5, row_of("8", "2026-03-02 00:00:00", "", "", "FALSE", "")),
        (6, row_of("9", "09:30:00", "", "100000000000000000000", "", "迟了")),
    ]


def row_of(*values: str) -> dict[str, str]:
    return dict(zip(("编号", "日期", "电话", "金额", "急", "留言"), values, strict=True))


def test_the_first_sheet_that_is_shown_is_read_or_the_one_that_is_named(tmp_path: Path) -> None:
    file = workbook(tmp_path / "a.xlsx", [["no"], [1]])

    assert [row.raw for row in rows_of(file)] == ['{"no":"1"}']
    assert [row.raw for row in rows_of(file, "notes")] == ['{"nothing":"1","of":"2","ours":"3"}']
    with pytest.raises(ConfigurationError, match="there are: notes, 留言"):
        read(file, "Sheet1")


def test_a_column_that_is_there_twice_is_seen_by_whom_it_matters_to(tmp_path: Path) -> None:
    _, body = read(workbook(tmp_path / "a.xlsx", [["no", "text", "text"], [1, "a", "b"]]))

    assert list(NdjsonReader(Columns(("no",), frozenset())).feed(body.decode(), last=True))
    with pytest.raises(Exception, match="'text' is there twice"):
        list(NdjsonReader(Columns(("no", "text"), frozenset())).feed(body.decode(), last=True))


def test_a_long_sheet_comes_in_pieces(tmp_path: Path) -> None:
    file = workbook(tmp_path / "a.xlsx", [["no", "text"], *([n, "迟" * 300] for n in range(1000))])

    with opened(file, encoding=None, sheet=None) as source:
        pieces = list(source.pieces)

    assert len(pieces) > 2
    assert b"".join(pieces).count(b"\n") == 1001


def test_what_is_no_workbook_or_a_broken_one_is_named(tmp_path: Path) -> None:
    text = tmp_path / "text.xlsx"
    text.write_text("no,text\n1,a\n")
    with pytest.raises(ConfigurationError, match=r"text\.xlsx.*is no workbook"):
        read(text)

    broken = workbook(tmp_path / "whole.xlsx", [["no"], [1]])
    with ZipFile(broken) as whole, ZipFile(tmp_path / "broken.xlsx", "w") as cut:
        for name in whole.namelist():
            data = whole.read(name)
            cut.writestr(name, data[:-40] if name.endswith("sheet2.xml") else data)
    with pytest.raises(ConfigurationError, match=r"broken\.xlsx.*cannot be read on"):
        read(tmp_path / "broken.xlsx")

    with pytest.raises(ConfigurationError, match="nothing stands in the sheet"):
        read(workbook(tmp_path / "empty.xlsx", [[], [None, ""]]))


def test_a_packed_file_that_is_damaged_is_named(tmp_path: Path) -> None:
    file = tmp_path / "a.csv.gz"
    packed = bytearray(gzip.compress(bytes(range(256)) * 100))
    packed[40:60] = bytes(20)
    file.write_bytes(packed)

    with pytest.raises(ConfigurationError, match=r"a\.csv\.gz.*cannot be read on"):
        read(file)


def test_an_encoding_is_told_to_the_product_and_must_be_one(tmp_path: Path) -> None:
    file = tmp_path / "a.csv.gz"
    file.write_bytes(gzip.compress("编号\n1\n".encode("gb18030")))

    assert read(file, encoding="GB18030") == (
        "text/csv; charset=gb18030",
        "编号\n1\n".encode("gb18030"),
    )
    with pytest.raises(ConfigurationError, match="--encoding: 'klingon' is no encoding"):
        read(file, encoding="klingon")
    with pytest.raises(ConfigurationError, match=r"--sheet: .* is no workbook"):
        read(file, "留言")
    with pytest.raises(ConfigurationError, match="--encoding: a workbook"):
        read(workbook(tmp_path / "a.xlsx", [["no"], [1]]), encoding="gb18030")
