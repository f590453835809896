"""The shape of `wording/*.yaml`, and how its sentences become scripts and letters."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, model_validator

from shared.events.words import Motive

_BLANK: Final = re.compile(r"\{(\w+)\}")
_NEEDED: Final = frozenset({"number", "thing", "by", "signer", "role"})
_OPTIONAL: Final = frozenset({"cause", "remedy"})
_PARTS: Final = ("opening", "empathy", "apology", "first_step", "next_step", "closing")
_OURS: Final = frozenset({"hello", "company", *_PARTS})
EMPTY: Final = "＿＿"
"""What stands where the writer still has to fill something in."""

PLAIN: Final = "plain"
"""How to speak to somebody whose motive nobody knows."""


class Topic(StrEnum):
    """The kinds of complaint that have words of their own: the top level of the categories."""

    PRODUCT = "product"
    SERVICE = "service"
    LOGISTICS = "logistics"
    BILLING = "billing"
    PRIVACY = "privacy"
    SAFETY = "safety"
    OTHER = "other"


class Kind(StrEnum):
    """What is written."""

    REPLY = "reply"
    APOLOGY = "apology"
    APOLOGY_BY_LEADER = "apology_by_leader"
    THANKS = "thanks"


def topic_of(category: str | None) -> Topic:
    """Return the topic of a category; of one that has no words of its own, `other`."""
    top = (category or "").partition(".")[0]
    return Topic(top) if top in set(Topic) else Topic.OTHER


def _knows_its_blanks(sentence: str) -> str:
    unknown = set(_BLANK.findall(sentence)) - _NEEDED - _OPTIONAL - _OURS
    if unknown:
        raise ValueError(f"there is no {{{min(unknown)}}} to fill in")
    return sentence


Sentence = Annotated[
    str,
    StringConstraints(min_length=1, max_length=400, strip_whitespace=True),
    AfterValidator(_knows_its_blanks),
]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TopicWords(_Part):
    """What went wrong, in a clause; the apology for it, and what we do about it."""

    thing: Sentence
    apology: Sentence
    next_step: Sentence


class MotiveWords(_Part):
    """How to speak to somebody who seeks this; no word of what they will be offered."""

    opening: Sentence
    empathy: Sentence
    first_step: Sentence
    closing: Sentence


class LetterWords(_Part):
    """A letter: paragraphs of sentences; one that speaks of what nobody knows is left out."""

    subject: Sentence
    paragraphs: tuple[tuple[Sentence, ...], ...]


class Greeting(_Part):
    """How somebody is greeted, with and without a name (`{}`)."""

    named: str
    nameless: str

    @model_validator(mode="after")
    def _has_a_place_for_the_name(self) -> Self:
        if self.named.count("{}") != 1:
            raise ValueError("named must hold {} once, where the name stands")
        return self


class Book(_Part):
    """All words in one language."""

    greeting: Greeting
    between: str
    follow_up: Sentence
    topics: dict[Topic, TopicWords]
    motives: dict[str, MotiveWords]
    letters: dict[Kind, LetterWords]

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        lacking = [str(topic) for topic in Topic if topic not in self.topics]
        lacking += [str(motive) for motive in (*Motive, PLAIN) if motive not in self.motives]
        lacking += [str(kind) for kind in Kind if kind not in self.letters]
        if lacking:
            raise ValueError(f"there are no words for {', '.join(lacking)}")
        unknown = self.motives.keys() - {*Motive, PLAIN}
        if unknown:
            raise ValueError(f"there is no motive {min(unknown)}")
        return self


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a case and what the writer adds; None leaves a blank or a sentence out."""

    company: str
    name: str | None = None
    number: str | None = None
    thing: str | None = None
    by: str | None = None
    cause: str | None = None
    remedy: str | None = None
    signer: str | None = None
    role: str | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """A finished text, and what the writer still has to fill in."""

    subject: str
    text: str
    missing: Sequence[str]


def script_of(book: Book, topic: Topic, motive: Motive | None) -> Mapping[str, str]:
    """Return the sentences of a reply by their part, in order, with their blanks."""
    tone, about = book.motives[motive or PLAIN], book.topics[topic]
    return {
        "opening": tone.opening,
        "empathy": tone.empathy,
        "apology": about.apology,
        "first_step": tone.first_step,
        "next_step": about.next_step,
        "closing": tone.closing,
    }


def write(book: Book, kind: Kind, *, topic: Topic, motive: Motive | None, facts: Facts) -> Written:
    """Fill a letter or a reply with the facts of a case."""
    given = {name: value for name in _NEEDED | _OPTIONAL if (value := getattr(facts, name))}
    given |= {"company": facts.company, "hello": _hello(book, facts.name)}
    # Without the writer's own words the topic says what went wrong.
    given.setdefault("thing", book.topics[topic].thing)
    pen = _Pen(given)
    parts = dict(script_of(book, topic, motive))
    if facts.remedy:
        # What was to be found out is known by now; what is left is to ask whether it is well.
        parts["next_step"] = book.follow_up
    letter = book.letters[kind]
    used = {name for words in _sentences(letter) for name in _BLANK.findall(words)}
    given |= {name: pen.fill(words) for name, words in parts.items() if name in used}
    kept = [pen.speak(book, paragraph) for paragraph in letter.paragraphs]
    text = "\n\n".join(paragraph for paragraph in kept if paragraph) + "\n"
    return Written(pen.fill(letter.subject), text, sorted(pen.missing))


class _Pen:
    """Fills blanks and remembers those that nobody filled."""

    def __init__(self, given: Mapping[str, str]) -> None:
        self._given = given
        self.missing: set[str] = set()

    def speak(self, book: Book, paragraph: Sequence[str]) -> str:
        known = (
            w for w in paragraph if not (set(_BLANK.findall(w)) & _OPTIONAL) - self._given.keys()
        )
        return book.between.join(self.fill(words) for words in known)

    def fill(self, words: str) -> str:
        # In one pass: what stands in a fact is never a blank itself.
        return _BLANK.sub(self._fact, words)

    def _fact(self, blank: re.Match[str]) -> str:
        value = self._given.get(blank[1])
        if value is None:
            self.missing.add(blank[1])
            return EMPTY
        return value


def _sentences(letter: LetterWords) -> Sequence[str]:
    return [words for paragraph in letter.paragraphs for words in paragraph]


def _hello(book: Book, name: str | None) -> str:
    return book.greeting.named.replace("{}", name) if name else book.greeting.nameless
