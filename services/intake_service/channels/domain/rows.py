"""Rows as they stand in a file, and readers that take the file piece by piece."""

from __future__ import annotations

import csv
import difflib
import json
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from services.intake_service.channels.domain.text import column_key
from shared.kernel.errors import FieldError, InvalidInput

LONGEST_ROW = 1024 * 1024
"""Characters that one row may span; a quote that is never closed would swallow the rest."""


class SourceRow(NamedTuple):
    """One row: the line it begins on (from 1), its text as it stood, its values by column."""

    line: int
    raw: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class BrokenRow:
    """Text that is no row, and why."""

    line: int
    raw: str
    reason: str
    detail: str


class MissingColumns(InvalidInput):
    """The file lacks columns that the mapping reads; nothing of it was stored."""

    code = "missing-column"
    title = "The file does not have the columns that the mapping names"


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns that a mapping reads, and those of them that a file may lack."""

    names: tuple[str, ...]
    optional: frozenset[str]

    def locate(self, header: Sequence[str]) -> dict[str, int]:
        """Return where each column stands in a header; raises MissingColumns naming the nearest."""
        places: dict[str, int] = {}
        twice: set[str] = set()
        for place, name in enumerate(header):
            key = column_key(name)
            if key in places:
                twice.add(key)
            places.setdefault(key, place)
        missing = [
            name
            for name in self.names
            if column_key(name) not in places and name not in self.optional
        ]
        if missing:
            raise _missing(missing, self.names, header)
        for name in self.names:
            if column_key(name) in twice:
                detail = f"the column {name!r} is there twice: which one counts?"
                raise MissingColumns(detail, [FieldError("", "column_twice", detail)])
        return {n: places[column_key(n)] for n in self.names if column_key(n) in places}


def _missing(missing: Sequence[str], names: Sequence[str], header: Sequence[str]) -> MissingColumns:
    """Name every missing column, each with the nearest of those that nothing else reads."""
    used = {column_key(name) for name in names}
    spare = {column_key(column): column for column in header if column_key(column) not in used}
    errors = []
    for name in missing:
        near = difflib.get_close_matches(column_key(name), spare, n=1, cutoff=0.5)
        hint = f": the nearest is {spare[near[0]]!r}" if near else ""
        errors.append(FieldError("", "missing_column", f"the column {name!r} is missing{hint}"))
    detail = "; ".join(error.detail for error in errors)
    return MissingColumns(f"{detail}. The file has {', '.join(header)[:1000]}", errors)


class RowReader(Protocol):
    """Takes text piece by piece and yields the rows that are whole."""

    def feed(self, text: str, *, last: bool = False) -> Iterator[SourceRow | BrokenRow]:
        """Yield what can be read so far; with `last` everything."""
        ...


class CsvReader:
    """Reads CSV whose quoted fields may span lines.

    The `csv` module decides what a row is; a row is given out once the module would not read on
    for it. Rows broken by a quote that is never closed cost their first line only.
    """

    def __init__(self, columns: Columns, *, delimiter: str = ",") -> None:
        self._columns = columns
        self._delimiter = delimiter
        self._lines: list[str] = []
        self._rest = ""
        # The number of the first of `_lines`.
        self._line = 1
        self._width = 0
        self._places: list[tuple[str, int]] | None = None

    def feed(self, text: str, *, last: bool = False) -> Iterator[SourceRow | BrokenRow]:
        """Yield the whole rows; raises MissingColumns at the header, InvalidInput without one."""
        *whole, self._rest = (self._rest + text).split("\n")
        self._lines += [line + "\n" for line in whole]
        if last and self._rest:
            self._lines.append(self._rest)
        while self._lines and (yield from self._read(last=last)):
            pass
        if last and self._places is None:
            raise InvalidInput("The file is empty: not even a header stands in it.")

    def _read(self, *, last: bool) -> Generator[SourceRow | BrokenRow, None, bool]:
        """Read to the end or to broken text, which is dropped; returns whether it was dropped."""
        lines = self._lines
        reader = csv.reader(lines, delimiter=self._delimiter)
        begin = 0
        while begin < len(lines):
            try:
                values = next(reader)
            except csv.Error as wrong:
                # Over several lines it is a field past the module's limit: a quote left open.
                if reader.line_num - begin > 1:
                    yield self._drop(begin, begin + 1, "unclosed-quote", _UNCLOSED)
                else:
                    yield self._drop(begin, reader.line_num, "malformed-row", f"{wrong}")
                return True
            end = reader.line_num
            if end == len(lines) and _is_open(lines[begin:], self._delimiter):
                if last or sum(map(len, lines[begin:])) > LONGEST_ROW:
                    yield self._drop(begin, begin + 1, "unclosed-quote", _UNCLOSED)
                    return True
                break
            row = self._row(begin, end, values)
            if isinstance(row, BrokenRow) and end - begin > 1:
                # Several lines and not the header's width: a later row's quote closed this one.
                yield self._drop(begin, begin + 1, "unclosed-quote", _UNCLOSED)
                return True
            if row is not None:
                yield row
            begin = end
        self._forget(begin)
        return False

    def _row(self, begin: int, end: int, values: list[str]) -> SourceRow | BrokenRow | None:
        if not values:
            return None
        if self._places is None:
            self._places = list(self._columns.locate(values).items())
            self._width = len(values)
            return None
        line, raw = self._line + begin, "".join(self._lines[begin:end])
        if len(values) != self._width and any(values[self._width :]) | (len(values) < self._width):
            few = len(values) < self._width
            reason = "too-few-columns" if few else "too-many-columns"
            detail = f"{len(values)} columns where the header has {self._width}"
            return BrokenRow(line, raw, reason, detail)
        return SourceRow(line, raw, {name: values[place] for name, place in self._places})

    def _drop(self, begin: int, end: int, reason: str, detail: str) -> BrokenRow:
        row = BrokenRow(self._line + begin, "".join(self._lines[begin:end]), reason, detail)
        self._forget(end)
        return row

    def _forget(self, end: int) -> None:
        del self._lines[:end]
        self._line += end


_UNCLOSED = "a quote is opened and never closed"


def _is_open(lines: Sequence[str], delimiter: str) -> bool:
    """Tell whether the last row of these lines ends inside quotes."""
    try:
        for _ in csv.reader(lines, delimiter=delimiter, strict=True):
            pass
    except csv.Error as wrong:
        return "unexpected end" in str(wrong)
    return False


class NdjsonReader:
    """Reads one JSON object a line; values become text, inner objects are left out."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._by_key = {column_key(name): name for name in columns.names}
        self._names: dict[str, str | None] = {}
        self._rest = ""
        self._line = 0
        self._checked = False

    def feed(self, text: str, *, last: bool = False) -> Iterator[SourceRow | BrokenRow]:
        """Yield the whole rows.

        Raises MissingColumns where the first object lacks columns, and InvalidInput for a line
        without end, such as that of one large JSON document.
        """
        *whole, self._rest = (self._rest + text).split("\n")
        if last and self._rest:
            whole.append(self._rest)
        for line in whole:
            self._line += 1
            if line.strip():
                yield self._row(line)
        if len(self._rest) > LONGEST_ROW:
            raise InvalidInput(
                f"Line {self._line + 1} has over {LONGEST_ROW:,} characters: NDJSON has one object"
                " a line."
            )

    def _row(self, line: str) -> SourceRow | BrokenRow:
        try:
            found = json.loads(line)
        except ValueError as wrong:
            return BrokenRow(self._line, line, "malformed-json", str(wrong))
        except RecursionError:
            return BrokenRow(self._line, line, "malformed-json", "the values lie too deep")
        if not isinstance(found, dict):
            return BrokenRow(self._line, line, "malformed-json", "the line is not a JSON object")
        if not self._checked:
            self._columns.locate(list(found))
            self._checked = True
        values = {}
        for key, value in found.items():
            name = self._name(key)
            if name is not None and value is not None and not isinstance(value, dict | list):
                values[name] = value if isinstance(value, str) else json.dumps(value)
        return SourceRow(self._line, line, values)

    def _name(self, key: str) -> str | None:
        if key not in self._names:
            if len(self._names) > _KEYS_KEPT:
                self._names.clear()
            self._names[key] = self._by_key.get(column_key(key))
        return self._names[key]


_KEYS_KEPT = 1000
