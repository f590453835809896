"""Turn the bytes of a file into text, piece by piece, and say where they cannot be."""

from __future__ import annotations

import codecs
import io

from shared.kernel.errors import InvalidInput

_OTHERS = ("utf-8", "gb18030", "utf-16")
_SAVE_AS_CSV = "save it as CSV (UTF-8); the command `import` reads .xlsx as it is"
_NOT_TEXT = {
    b"PK\x03\x04": f"a workbook (.xlsx) or another zip archive: {_SAVE_AS_CSV}",
    b"\xd0\xcf\x11\xe0": f"a workbook of old Excel (.xls), or one with a password: {_SAVE_AS_CSV}",
    b"\x1f\x8b": "compressed by gzip: unpack it, or give it to the command `import` as .gz",
    b"%PDF": "a PDF: send the table that it was made from",
}


class WrongEncoding(InvalidInput):
    """The file is not in the encoding that the mapping names."""

    code = "wrong-encoding"
    title = "The file is in another encoding"


class NotText(InvalidInput):
    """What came is no text in any encoding."""

    code = "not-text"
    title = "The file is not text"


class Decoder:
    """Decodes a stream; newlines of every kind become one, a byte order mark is dropped."""

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        self._decoder = codecs.getincrementaldecoder(encoding)("strict")
        self._newlines = io.IncrementalNewlineDecoder(None, translate=True)
        self._offset = 0
        self._line = 1
        self._begun = False

    def feed(self, data: bytes, *, last: bool = False) -> str:
        """Return the text so far whole.

        Raises WrongEncoding with byte offset (from 0) and line, and NotText at the first bytes.
        """
        if self._offset == 0:
            _refuse_other_forms(data)
        waiting = len(self._decoder.getstate()[0])
        try:
            text = self._decoder.decode(data, last)
        except UnicodeDecodeError as wrong:
            raise self._refusal(data, wrong, waiting) from None
        if not self._begun and text:
            text = text.removeprefix("\ufeff")
            self._begun = True
        text = self._newlines.decode(text, last)
        self._offset += len(data)
        self._line += text.count("\n")
        return text

    def _refusal(self, data: bytes, wrong: UnicodeDecodeError, waiting: int) -> WrongEncoding:
        at = self._offset - waiting + wrong.start
        line = self._line + bytes(wrong.object[: wrong.start]).count(b"\n")
        other = next((o for o in _OTHERS if o != self._encoding and _reads(o, data)), None)
        if other is None:
            hint = "name the file's encoding in the mapping, as in `encoding: gb18030`"
        else:
            hint = f"it reads as {other.upper()}: set `encoding: {other}` in the mapping"
        name = other or "…"
        return WrongEncoding(
            f"byte {at} (line {line}) is not {self._encoding.upper()}: {hint}, or send"
            f" Content-Type: text/csv; charset={name} (the command: --encoding {name})"
        )


def _refuse_other_forms(data: bytes) -> None:
    for mark, what in _NOT_TEXT.items():
        if data.startswith(mark):
            raise NotText(f"This is {what}.")


def _reads(encoding: str, data: bytes) -> bool:
    if encoding == "utf-16" and not data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return False
    try:
        codecs.getincrementaldecoder(encoding)("strict").decode(data, False)
    except UnicodeDecodeError:
        return False
    return True
