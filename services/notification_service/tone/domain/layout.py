"""How a text is laid out: its sentences, and what in it is quoted from somebody else."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence

Span = tuple[int, int]

# A point ends a sentence only before a space: not in 12.50 or example.com.
_SENTENCE_END = re.compile(r"[。!?;\n]|\.(?=[\s\"”]|$)")
# A quotation ends within its paragraph; one that never ends quotes nothing.
_QUOTED = re.compile(
    r"“[^“”\n]{1,2000}”|「[^「」\n]{1,2000}」|『[^『』\n]{1,2000}』|\"[^\"\n]{1,2000}\""
)
_QUOTED_LINE = re.compile(r"^ ?>.*$", re.MULTILINE)
_LETTER = re.compile(r"\w")


def sentences_of(text: str) -> Sequence[Span]:
    """Return where each sentence of a folded text begins and ends; together they are the text."""
    ends = [found.end() for found in _SENTENCE_END.finditer(text)]
    if not ends or ends[-1] < len(text):
        ends.append(len(text))
    return list(zip([0, *ends[:-1]], ends, strict=True))


def quotations_of(text: str) -> Sequence[Span]:
    """Return what a text quotes: in quotation marks, or in lines that begin with `>`.

    Where everything is in quotation marks, the writer only wrapped their own words.
    """
    found = [match.span() for match in _QUOTED.finditer(text)]
    found += [match.span() for match in _QUOTED_LINE.finditer(text)]
    found.sort()
    quoted = sum(len(_LETTER.findall(text[start:end])) for start, end in _merged(found))
    return [] if quoted == len(_LETTER.findall(text)) else _merged(found)


def index_of(spans: Sequence[Span], place: int) -> int:
    """Return which of the spans, in order, is the last to begin at or before a place; -1: none."""
    return bisect_right(spans, (place, 1 << 60)) - 1


def covers(spans: Sequence[Span], place: int) -> bool:
    """Tell whether a place lies in one of the spans, which stand in order without overlap."""
    index = index_of(spans, place)
    return index >= 0 and place < spans[index][1]


def _merged(spans: Sequence[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, end in spans:
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
