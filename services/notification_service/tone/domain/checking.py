"""Check a text: what is said that should not be, and what is owed and not said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.notification_service.tone.domain.reading import Reading
from services.notification_service.tone.domain.rulebook import Rule, RuleBook
from services.notification_service.tone.domain.words import DUE, Duty, Locale, Purpose


@dataclass(frozen=True, slots=True)
class Finding:
    """Words that should not be said: code points `start` to `end` of the text, and what instead."""

    start: int
    end: int
    phrase: str
    rule: str
    why: str
    suggestion: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check came to; a duty that is not due is None where it is not done either."""

    findings: Sequence[Finding]
    duties: Mapping[Duty, bool | None]

    @property
    def ok(self) -> bool:
        """Whether nothing is found and nothing owed."""
        return not self.findings and not self.missing

    @property
    def missing(self) -> Sequence[Duty]:
        """The duties that are due and not done."""
        return [duty for duty, done in self.duties.items() if done is False]


def check_text(text: str, book: RuleBook, *, locale: Locale, purpose: Purpose) -> Verdict:
    """Check a text by a book; `locale` is the language of `why` and `suggestion`.

    The work grows linearly with the text.
    """
    reading = Reading(text, book)
    owed = DUE[purpose]
    duties = {duty: reading.keeps(duty) or (False if duty in owed else None) for duty in Duty}
    found = [
        (start, end, rule)
        for rule in book.rules
        if purpose not in rule.spares
        for start, end in reading.hits(rule)
    ]
    findings = [_finding(text, reading, locale, one) for one in _apart(found)]
    return Verdict(findings=findings, duties=duties)


def _apart(found: Sequence[tuple[int, int, Rule]]) -> Sequence[tuple[int, int, Rule]]:
    """Keep one finding where several lie in the same words: the outer, else the earlier rule's."""
    kept: list[tuple[int, int, Rule]] = []
    for one in sorted(found, key=lambda finding: (finding[0], -finding[1])):
        if not kept or one[1] > kept[-1][1]:
            kept.append(one)
    return kept


def _finding(text: str, reading: Reading, locale: Locale, found: tuple[int, int, Rule]) -> Finding:
    first, last, rule = found
    start, end = reading.folded.span(first, last)
    return Finding(
        start=start,
        end=end,
        phrase=text[start:end],
        rule=rule.name,
        why=rule.why.in_language(locale),
        suggestion=rule.suggestion.in_language(locale),
    )
