"""Find thousands of phrases in a text without trying each.

Every phrase hangs under a short key: a Latin one under its first word (or stem), another under
its first two characters. One set intersection leaves the few whose key stands in the text, and
only those are looked for. One alternation of all phrases costs ten times as much, because `re`
tries branch after branch.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from operator import add, itemgetter
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")

GAP = "…"
_STEM = 4
_TOKEN = re.compile(r"[a-z0-9]+")
_LATIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
# A gap stays inside its sentence; a Chinese one inside its clause, since a few characters go far.
_LATIN_GAP = r"[^。！？!?;；.]{0,24}?"
_HAN_GAP = r"[^。！？!?;；，,]{0,6}?"
_NEGATION = re.compile(
    r"(?:没有|没|未|无|不是|不会|不想|并非|\b(?:no|not|never|without|nobody was|no one was|"
    r"wasn't|weren't|isn't|aren't) )$"
)
_LONGEST_NEGATION = 12
_ENDS_OF_NEGATION = frozenset("没有未无是会想非 ")


class Hit(NamedTuple, Generic[T]):
    """One phrase that stands in a text: what it points at, where and in which words."""

    targets: tuple[T, ...]
    start: int
    evidence: str
    negated: bool


@dataclass(frozen=True, slots=True)
class _Phrase(Generic[T]):
    head: str
    tail: re.Pattern[str] | None
    word_start: bool
    word_end: bool
    # It matches wherever its characters stand.
    is_plain: bool
    targets: tuple[T, ...]

    def first(self, text: str, start: int) -> tuple[int, int] | None:
        """Return where the phrase first stands as whole words, looking from `start`, or None."""
        while start >= 0:
            end = start + len(self.head)
            if not (self.word_start and start and text[start - 1] in _LATIN) and not (
                self.word_end and text[end : end + 1] in _LATIN and end < len(text)
            ):
                if self.tail is None:
                    return start, end
                rest = self.tail.match(text, end)
                if rest is not None:
                    return start, rest.end()
            start = text.find(self.head, start + 1)
        return None


class PhraseBook(Generic[T]):
    """Phrases with what each points at, indexed once.

    A phrase matches in any case. Where it begins or ends with a Latin letter or digit it matches
    whole words, with a final `*` a word's beginning; `…` stands for a few characters between.
    """

    def __init__(self, phrases: Mapping[str, Iterable[T]]) -> None:
        self._by_key: dict[str, list[_Phrase[T]]] = {}
        for text, targets in phrases.items():
            phrase = _read(text.lower(), tuple(targets))
            self._by_key.setdefault(_key(phrase), []).append(phrase)
        self._keys = frozenset(self._by_key)

    def find(self, text: str) -> Iterator[Hit[T]]:
        """Yield each phrase once, in the order in which they stand in the text.

        `text` is as `normalise` returns it.
        """
        hits = []
        for key in self._keys_in(text):
            for phrase in self._by_key[key]:
                start = text.find(phrase.head)
                if start < 0:
                    continue
                if phrase.is_plain:
                    hits.append((start, start + len(phrase.head), phrase.targets))
                elif (place := phrase.first(text, start)) is not None:
                    hits.append((*place, phrase.targets))
        hits.sort(key=_place)
        for start, end, targets in hits:
            before = text[max(0, start - _LONGEST_NEGATION) : start]
            negated = before[-1:] in _ENDS_OF_NEGATION and _NEGATION.search(before) is not None
            yield Hit(targets, start, text[start:end], negated)

    def _keys_in(self, text: str) -> set[str]:
        words = set(_TOKEN.findall(text))
        found = {f"={word}" for word in words} | {f"^{word[:_STEM]}" for word in words}
        found &= self._keys
        if not text.isascii():
            # `intersection` walks its argument without building a set of it.
            found.update(self._keys.intersection(text))
            found.update(self._keys.intersection(map(add, text, text[1:])))
        return found


_place = itemgetter(0, 1)


def normalise(text: str) -> str:
    """Return text as phrases are written: lower case, single spaces, straight apostrophes."""
    return " ".join(text.split()).replace("’", "'").lower()


def _read(text: str, targets: tuple[T, ...]) -> _Phrase[T]:
    head, gap, rest = text.partition(GAP)
    stem = head.endswith("*")
    head = head.removesuffix("*")
    tail = None
    if gap:
        between = _LATIN_GAP if head.isascii() else _HAN_GAP
        tail = re.compile(between.join(["", *map(_as_words, rest.split(GAP))]))
    return _Phrase(
        head=head,
        tail=tail,
        word_start=head[0] in _LATIN,
        word_end=head[-1] in _LATIN and not stem,
        is_plain=tail is None and head[0] not in _LATIN and (stem or head[-1] not in _LATIN),
        targets=targets,
    )


def _as_words(part: str) -> str:
    """Return a pattern of what stands after a gap: Latin letters and digits as whole words."""
    before = r"(?<![a-z0-9])" if part[0] in _LATIN else ""
    after = r"(?![a-z0-9])" if part[-1] in _LATIN else ""
    return before + re.escape(part) + after


def _key(phrase: _Phrase[T]) -> str:
    head = phrase.head
    token = _TOKEN.match(head)
    if token is None:
        return head[:2]
    # A stem may end inside the word of the text, so only its first letters can be the key.
    whole = len(token[0]) < len(head) or phrase.word_end
    return f"={token[0]}" if whole else f"^{token[0][:_STEM]}"
