"""Files as the product reads them: CSV and NDJSON as they are, also compressed, and workbooks."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from services.intake_service.channels.client.workbooks import read_sheet
from services.intake_service.channels.domain.mapping import text_encoding
from shared.kernel.errors import ConfigurationError

PIECE = 256 * 1024
_CSV, _NDJSON = "text/csv", "application/x-ndjson"
_NDJSON_SUFFIXES = (".ndjson", ".jsonl")
_WORKBOOKS = (".xlsx", ".xlsm")


@dataclass(frozen=True, slots=True)
class Source:
    """A file that is open: its name, its form as HTTP names it, and its bytes piece by piece.

    `size` and `position` count bytes on the disk, for a progress bar.
    """

    name: str
    content_type: str
    pieces: Iterator[bytes]
    size: int
    position: Callable[[], int]


@contextmanager
def opened(path: Path, *, encoding: str | None, sheet: str | None) -> Iterator[Source]:
    """Open a file for as long as it is sent.

    `encoding` goes before the mapping's; `sheet` names one of a workbook's, the first otherwise.
    Raises ConfigurationError for what cannot be read, then or while its pieces are taken.
    """
    suffix = (path.with_suffix("") if path.suffix == ".gz" else path).suffix.lower()
    workbook = path.suffix.lower() in _WORKBOOKS
    if sheet is not None and not workbook:
        raise ConfigurationError("--sheet", f"{path.name} is no workbook ({', '.join(_WORKBOOKS)})")
    if encoding is not None and workbook:
        raise ConfigurationError("--encoding", "a workbook's text needs none")
    form = _NDJSON if workbook or suffix in _NDJSON_SUFFIXES else _CSV
    if workbook:
        # Whatever the mapping says of text files.
        form = f"{form}; charset=utf-8"
    elif encoding is not None:
        form = f"{form}; charset={_known(encoding)}"
    try:
        raw = path.open("rb")
    except OSError as failure:
        raise ConfigurationError(str(path), failure.strerror or "not readable") from None
    with raw:
        pieces = read_sheet(raw, path, sheet, piece=PIECE) if workbook else _pieces(raw, path)
        yield Source(path.name, form, pieces, path.stat().st_size, raw.tell)


def _known(encoding: str) -> str:
    try:
        return text_encoding(encoding)
    except ValueError as wrong:
        raise ConfigurationError("--encoding", str(wrong)) from None


def _pieces(raw: IO[bytes], path: Path) -> Iterator[bytes]:
    # A compressed file reads like one.
    content = cast("IO[bytes]", gzip.GzipFile(fileobj=raw)) if path.suffix == ".gz" else raw
    try:
        while piece := content.read(PIECE):
            yield piece
    except (EOFError, OSError, zlib.error) as failure:
        raise ConfigurationError(str(path), f"cannot be read on: {failure}") from None
