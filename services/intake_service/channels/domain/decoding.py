"""Turn the bytes of a file into text, piece by piece, and say where they cannot be."""

from __future__ import annotations

import codecs
import io

from shared.kernel.errors import InvalidInput

_OTHERS = ("utf-8", "gb18030", "utf-16")


class WrongEncoding(InvalidInput):
    """The file is not in the encoding that the mapping names."""

    code = "wrong-encoding"
    title = "The file is in another encoding"


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
        """Return the text so far whole; raises WrongEncoding with byte offset (from 0) and line."""
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
        return WrongEncoding(
            f"byte {at} (line {line}) is not {self._encoding.upper()}: {hint}, or send"
            " Content-Type: text/csv; charset=…"
        )


def _reads(encoding: str, data: bytes) -> bool:
    if encoding == "utf-16" and not data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return False
    try:
        codecs.getincrementaldecoder(encoding)("strict").decode(data, False)
    except UnicodeDecodeError:
        return False
    return True
