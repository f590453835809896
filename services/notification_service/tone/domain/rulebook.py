"""The shape of `rules.yaml`, checked when it is read, and its phrases ready to be looked for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from services.notification_service.tone.domain.folding import fold
from services.notification_service.tone.domain.notation import is_latin, translate
from services.notification_service.tone.domain.words import Duty, Locale, Purpose

RuleName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*$", max_length=48)]
Sentence = Annotated[str, StringConstraints(min_length=1, max_length=300, strip_whitespace=True)]
Phrases = tuple[str, ...]


class Where(StrEnum):
    """Where a phrase of a rule is a fault; without a condition it is one everywhere."""

    BARE = "bare"
    NO_TIME = "no_time"
    NO_APOLOGY = "no_apology"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PhraseLists(_Part):
    """Phrases of both languages; every text is searched for all of them."""

    zh: Phrases = ()
    en: Phrases = ()

    @property
    def all(self) -> Phrases:
        """The phrases of both languages."""
        return self.zh + self.en


class Wording(_Part):
    """A sentence in both languages."""

    zh: Sentence
    en: Sentence

    def in_language(self, locale: Locale) -> str:
        """Return the sentence as a reader of `locale` gets it."""
        return self.zh if locale == "zh-CN" else self.en


class RuleEntry(PhraseLists):
    """One named rule: its phrases, where they are no fault, why they are one, what to write."""

    unless: PhraseLists = PhraseLists()
    where: Where | None = None
    loud: bool = False
    spares: frozenset[Purpose] = frozenset({Purpose.INTERNAL})
    why: Wording
    suggestion: Wording

    @model_validator(mode="after")
    def _looks_for_something(self) -> Self:
        if not self.all and not self.loud:
            raise ValueError("a rule needs phrases")
        return self


class DutyEntry(PhraseLists):
    """How a duty is recognised; a sentence that holds `unless` or a hit of `voided_by` is none."""

    unless: PhraseLists = PhraseLists()
    voided_by: tuple[RuleName, ...] = ()


class RuleFile(_Part):
    """The whole file. `traditional` holds pairs: a traditional character and its simplified one."""

    version: int = Field(ge=1, le=1)
    rules: dict[RuleName, RuleEntry]
    duties: dict[Duty, DutyEntry]
    overlooked: PhraseLists
    generic: PhraseLists
    greetings: PhraseLists
    traditional: tuple[Annotated[str, StringConstraints(pattern=r"^..$")], ...]

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        missing = [duty for duty in Duty if duty not in self.duties]
        if missing:
            raise ValueError(f"duties lacks {', '.join(missing)}")
        named = {name for duty in self.duties.values() for name in duty.voided_by}
        unknown = sorted(named - self.rules.keys())
        if unknown:
            raise ValueError(f"voided_by names rules that do not exist: {', '.join(unknown)}")
        return self


Pattern = re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule whose phrases can be looked for."""

    name: str
    phrases: Sequence[Pattern]
    unless: Pattern | None
    where: Where | None
    loud: bool
    spares: frozenset[Purpose]
    why: Wording
    suggestion: Wording


@dataclass(frozen=True, slots=True)
class DutyRule:
    """A duty whose phrases can be looked for."""

    phrases: Sequence[Pattern]
    unless: Pattern | None
    voided_by: Sequence[Rule]


@dataclass(frozen=True, slots=True)
class RuleBook:
    """All rules, compiled once; in their order the earlier wins where two find the same words."""

    rules: Sequence[Rule]
    duties: Mapping[Duty, DutyRule]
    overlooked: Pattern
    generic: Pattern
    greetings: Pattern
    simplified: Mapping[str, str]


def compile_book(file: RuleFile) -> RuleBook:
    """Make the rules searchable; raises ValueError naming rule and phrase."""
    simplified = {pair[0]: pair[1] for pair in file.traditional}
    rules = {name: _rule(name, entry, simplified) for name, entry in file.rules.items()}
    duties = {
        duty: DutyRule(
            phrases=_patterns(duty, entry.all, simplified),
            unless=_any_of(duty, entry.unless.all, simplified),
            voided_by=[rules[name] for name in entry.voided_by],
        )
        for duty, entry in file.duties.items()
    }
    return RuleBook(
        rules=list(rules.values()),
        duties=duties,
        overlooked=_longest_first("overlooked", file.overlooked.all, simplified),
        generic=_longest_first("generic", file.generic.all, simplified),
        greetings=_longest_first("greetings", file.greetings.all, simplified),
        simplified=simplified,
    )


def _rule(name: str, entry: RuleEntry, simplified: Mapping[str, str]) -> Rule:
    return Rule(
        name=name,
        phrases=_patterns(name, entry.all, simplified),
        unless=_any_of(name, entry.unless.all, simplified),
        where=entry.where,
        loud=entry.loud,
        spares=entry.spares,
        why=entry.why,
        suggestion=entry.suggestion,
    )


def _patterns(name: str, phrases: Phrases, simplified: Mapping[str, str]) -> Sequence[Pattern]:
    return [re.compile(_translated(name, phrase, simplified)) for phrase in phrases]


def _any_of(name: str, phrases: Phrases, simplified: Mapping[str, str]) -> Pattern | None:
    if not phrases:
        return None
    return re.compile("|".join(_translated(name, phrase, simplified) for phrase in phrases))


def _longest_first(name: str, phrases: Phrases, simplified: Mapping[str, str]) -> Pattern:
    """Latin words and Chinese ones apart, each the longest first, so that none hides another."""
    ordered = sorted(phrases, key=lambda phrase: (is_latin(phrase), -len(phrase)))
    found = _any_of(name, tuple(ordered), simplified)
    if found is None:
        raise ValueError(f"{name} is empty")
    return found


def _translated(name: str, phrase: str, simplified: Mapping[str, str]) -> str:
    # The sign for a gap is the one that folding would take apart.
    folded = "…".join(fold(part, simplified).text for part in phrase.split("…"))
    try:
        return translate(folded)
    except ValueError as wrong:
        raise ValueError(f"{name}: {wrong}") from None
