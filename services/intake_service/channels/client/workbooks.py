"""A sheet of an Excel workbook as NDJSON.

One line for each of its rows, so that the line numbers of a reject file are the sheet's own.
"""

from __future__ import annotations

import warnings
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile

import orjson

from shared.kernel.errors import ConfigurationError

if TYPE_CHECKING:
    from openpyxl.workbook.workbook import Workbook

_UNREADABLE = (
    BadZipFile,
    ParseError,
    zlib.error,
    EOFError,
    OSError,
    KeyError,
    ValueError,
    TypeError,
)
"""What openpyxl raises for files that are no workbook, or a broken one."""


def read_sheet(raw: IO[bytes], path: Path, sheet: str | None, *, piece: int) -> Iterator[bytes]:
    """Return a sheet's rows in pieces of about so many bytes; its first filled row names columns.

    Cells become text: dates as ISO, whole numbers without a fraction, formulas as last computed.
    Raises ConfigurationError for what is no workbook or has no such sheet, and while the pieces
    are taken for what is broken or has nothing in it.
    """
    book = _loaded(raw, path)
    return _pieces(book, _chosen(book, path, sheet), path, piece)


def _pieces(book: Workbook, name: str, path: Path, piece: int) -> Iterator[bytes]:
    try:
        yield from _gathered(_lines(_cells(book, name)), piece)
    except _UNREADABLE as failure:
        raise ConfigurationError(str(path), f"cannot be read on: {failure}") from None
    except _Empty:
        raise ConfigurationError(str(path), f"nothing stands in the sheet {name!r}") from None


class _Empty(Exception):
    """A sheet without even a header."""


def _loaded(raw: IO[bytes], path: Path) -> Workbook:
    # Only here: whoever imports text has no need of it.
    import openpyxl

    # It tells of styles, extensions and the like, which mean nothing here.
    warnings.filterwarnings("ignore", module="openpyxl")
    try:
        return openpyxl.load_workbook(raw, read_only=True, data_only=True)
    except _UNREADABLE:
        why = "is no workbook that can be read: save it as .xlsx without a password, or as CSV"
        raise ConfigurationError(str(path), why) from None


def _chosen(book: Workbook, path: Path, sheet: str | None) -> str:
    names = [each.title for each in book.worksheets if each.sheet_state == "visible"]
    if sheet is None and names:
        return names[0]
    every = [each.title for each in book.worksheets]
    if sheet in every:
        return sheet
    if sheet is None:
        raise ConfigurationError(str(path), "has no sheet that is shown: name one with --sheet")
    raise ConfigurationError("--sheet", f"{sheet!r} is not there; there are: {', '.join(every)}")


def _cells(book: Workbook, name: str) -> Iterator[Sequence[object]]:
    sheet = book[name]
    # Many programs write a wrong size, by which rows would be left out.
    sheet.reset_dimensions()
    return sheet.iter_rows(values_only=True)


def _lines(rows: Iterator[Sequence[object]]) -> Iterator[bytes]:
    names: list[str] | None = None
    for cells in rows:
        values = [_text(cell) for cell in cells]
        if not any(values):
            yield b"\n"
        elif names is None:
            names = _distinct(values)
            yield b"\n"
        else:
            values += [""] * (len(names) - len(values))
            yield orjson.dumps({n: v for n, v in zip(names, values, strict=False) if n}) + b"\n"
    if names is None:
        raise _Empty


def _distinct(header: Sequence[str]) -> list[str]:
    """Return names that are distinct for JSON; blanks at the end do not count for a mapping.

    So the product, which alone knows whether a name matters, sees that it is there twice.
    """
    seen = Counter[str]()
    names = []
    for name in map(str.strip, header):
        names.append(name + " " * seen[name] if name else "")
        seen[name] += 1
    return names


def _gathered(lines: Iterator[bytes], piece: int) -> Iterator[bytes]:
    waiting, size = list[bytes](), 0
    for line in lines:
        waiting.append(line)
        size += len(line)
        if size >= piece:
            yield b"".join(waiting)
            waiting, size = [], 0
    yield b"".join(waiting)


def _text(cell: object) -> str:
    match cell:
        case None:
            return ""
        case bool():
            return str(cell).upper()
        case float() if cell.is_integer():
            return str(int(cell))
        case datetime():
            # Excel counts days: a fraction of a second is its rounding.
            return (cell + timedelta(seconds=0.5)).isoformat(" ", timespec="seconds")
        case date() | time():
            return cell.isoformat()
    return str(cell)
