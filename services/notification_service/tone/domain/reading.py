"""One text as the rules look at it; every question about a sentence is answered once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from heapq import merge

from services.notification_service.tone.domain.folding import Folded, fold, is_han
from services.notification_service.tone.domain.layout import (
    Span,
    covers,
    index_of,
    quotations_of,
    sentences_of,
)
from services.notification_service.tone.domain.rulebook import (
    DutyRule,
    Pattern,
    Rule,
    RuleBook,
    Where,
)
from services.notification_service.tone.domain.words import Duty

# Three words or more in capitals; shorter runs are names, codes and signs.
_CAPITALS = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2,20}(?:[ ,'!-]{1,2}[A-Z]{1,20}){2,60}(?![A-Za-z])")
_MARKS = re.compile(r"[!?！？]{2,60}")
_LATIN_WORD = re.compile(r"[a-z0-9]{2,40}")
_ASKED = frozenset({"??", "？？"})
# So much must be left of a sentence without its empty words for it to name something.
_NAMES_SOMETHING = 2
_NAMES_SOMETHING_BEFORE = 4


class Reading:
    """A folded text with its sentences, quotations and the hits of each rule."""

    def __init__(self, text: str, book: RuleBook) -> None:
        self._text = text
        self._book = book
        self.folded: Folded = fold(text, book.simplified)
        self._sentences = sentences_of(self.folded.text)
        self._quotations = quotations_of(self.folded.text)
        self._substance: dict[int, int] = {}
        self._excused: dict[tuple[int, int], bool] = {}
        self._hits: dict[str, Sequence[Span]] = {}
        self._faulty: dict[str, frozenset[int]] = {}
        self._kept: dict[Duty, bool] = {}

    def hits(self, rule: Rule) -> Sequence[Span]:
        """Return where a rule finds fault, in the folded text and in order."""
        if rule.name not in self._hits:
            found = [span for span in self._candidates(rule) if self._is_fault(rule, span)]
            self._hits[rule.name] = _without_inner(found)
        return self._hits[rule.name]

    def keeps(self, duty: Duty) -> bool:
        """Tell whether the text does a duty somewhere."""
        if duty not in self._kept:
            rule = self._book.duties[duty]
            text = self._promising
            found = (m.start() for pattern in rule.phrases for m in self._matches(pattern, text))
            self._kept[duty] = any(self._does(duty, rule, place) for place in found)
        return self._kept[duty]

    def _does(self, duty: Duty, rule: DutyRule, place: int) -> bool:
        sentence = self._sentence_at(place)
        if self._is_excused(rule.unless, sentence):
            return False
        if any(sentence in self._faulty_sentences(voiding) for voiding in rule.voided_by):
            return False
        return duty is not Duty.APOLOGY or not self._is_bare(sentence)

    def _faulty_sentences(self, rule: Rule) -> frozenset[int]:
        if rule.name not in self._faulty:
            found = frozenset(self._sentence_at(start) for start, _ in self.hits(rule))
            self._faulty[rule.name] = found
        return self._faulty[rule.name]

    def _candidates(self, rule: Rule) -> Iterator[Span]:
        for pattern in rule.phrases:
            for match in self._matches(pattern):
                yield match.span()
        if rule.loud:
            yield from self._shouted()

    @cached_property
    def _promising(self) -> str:
        """The text with the words blanked that only look like a promise."""
        return self._book.overlooked.sub(lambda m: "~" * len(m[0]), self.folded.text)

    def _matches(self, pattern: Pattern, text: str | None = None) -> Iterator[re.Match[str]]:
        for match in pattern.finditer(self.folded.text if text is None else text):
            if not covers(self._quotations, match.start()):
                yield match

    def _shouted(self) -> Iterator[Span]:
        # Case is folded away, so capitals are looked for in the text as sent.
        places = self.folded.places
        position = 0
        for match in self._loud():
            while places[position] < match.start():
                position += 1
            start = position
            while position < len(places) and places[position] < match.end():
                position += 1
            if not covers(self._quotations, start):
                yield start, position

    def _loud(self) -> Iterator[re.Match[str]]:
        marks = (m for m in _MARKS.finditer(self._text) if len(m[0]) > 2 or m[0] not in _ASKED)
        return merge(_CAPITALS.finditer(self._text), marks, key=re.Match.start)

    def _is_fault(self, rule: Rule, span: Span) -> bool:
        sentence = self._sentence_at(span[0])
        if self._is_excused(rule.unless, sentence):
            return False
        if rule.where is Where.BARE:
            return self._is_bare(sentence)
        if rule.where is Where.NO_TIME:
            return not self.keeps(Duty.TIME)
        return rule.where is not Where.NO_APOLOGY or not self.keeps(Duty.APOLOGY)

    def _sentence_at(self, place: int) -> int:
        return index_of(self._sentences, place)

    def _is_excused(self, unless: Pattern | None, sentence: int) -> bool:
        if unless is None:
            return False
        key = (id(unless), sentence)
        if key not in self._excused:
            start, end = self._sentences[sentence]
            self._excused[key] = unless.search(self.folded.text, start, end) is not None
        return self._excused[key]

    def _is_bare(self, sentence: int) -> bool:
        """Tell a sentence that names nothing, and follows none that does in its paragraph."""
        if self._substance_of(sentence) >= _NAMES_SOMETHING:
            return False
        start, _ = self._sentences[sentence]
        before = sentence - 1
        if before < 0 or self.folded.text[start - 1] == "\n":
            return True
        return self._substance_of(before) < _NAMES_SOMETHING_BEFORE

    def _substance_of(self, sentence: int) -> int:
        """Count what a sentence says beyond empty words: Chinese characters, a word as two."""
        if sentence not in self._substance:
            start, end = self._sentences[sentence]
            words = self.folded.text[start:end]
            words = self._book.greetings.sub(" ", words)
            left = self._book.generic.sub(" ", words)
            latin = len(_LATIN_WORD.findall(left))
            self._substance[sentence] = sum(map(is_han, left)) + 2 * latin
        return self._substance[sentence]


def _without_inner(spans: Sequence[Span]) -> Sequence[Span]:
    """Keep the outer one of two findings that overlap, the first one of equals."""
    kept: list[Span] = []
    for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
        if not kept or start >= kept[-1][1]:
            kept.append((start, end))
    return kept
