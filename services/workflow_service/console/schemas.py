"""What the pages say instead of codes: names of people, of departments, of clocks and causes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from services.workflow_service.cases.domain.by_law import BIND
from services.workflow_service.cases.domain.case import Case, Entry
from services.workflow_service.cases.domain.merging import MERGE, REPEAT
from services.workflow_service.cases.domain.reactions import REGRADE
from services.workflow_service.cases.domain.rising import ESCALATE
from services.workflow_service.cases.domain.rules import Rules
from services.workflow_service.cases.repository.spoken import Spoken
from services.workflow_service.cases.schemas.views import HistoryView
from services.workflow_service.clocks.domain.pack import is_of_a_pack
from services.workflow_service.clocks.domain.target import Mark
from services.workflow_service.clocks.domain.wording import Both, name_of, span
from services.workflow_service.organisation.domain.people import Organisation
from shared.web.categories import category_label

_OF_CLOCKS = frozenset({"warn", "breach", "open-window", "update"})
_OF_CASES = frozenset({MERGE, REPEAT})
_OF_PEOPLE = frozenset({"open", "assign"})
_GRADES = re.compile(r"(\S+) (P\d) to (\S+) (P\d)")


@dataclass(frozen=True, slots=True)
class People:
    """The organisation as pages speak of it; who or what is not listed is shown as it is."""

    organisation: Organisation

    def person(self, person_id: str | None) -> str | None:
        """Return somebody's name."""
        found = self.organisation.person(person_id) if person_id else None
        return found.name if found else person_id

    def department(self, code: str | None, lang: str) -> str | None:
        """Return what a department is called."""
        found = self.organisation.departments.get(code) if code else None
        if found is None:
            return code
        return found.zh if lang == "zh-CN" else found.en

    def everybody(self) -> Sequence[tuple[str, str]]:
        """Return all people by id, each with their name."""
        return [(one.id, one.name) for one in self.organisation.people]

    def departments(self, lang: str) -> Sequence[tuple[str, str]]:
        """Return all departments by code, each with what it is called."""
        codes = self.organisation.departments
        return [(code, self.department(code, lang) or code) for code in codes]

    def role_at(self, level: int) -> str | None:
        """Return the role whose people have the cases of a level; None for the front line."""
        role = self.organisation.escalation.get(level)
        return role.value if role else None


@dataclass(frozen=True, slots=True)
class DueFirst:
    """What of a case is due before all else: by this it has its place among others.

    `step` is a kind of clock that the page has words for as something to do; others have `name`.
    """

    step: str
    name: Both
    due_at: datetime


def due_first(case: Case, rules: Rules) -> DueFirst | None:
    """Return what of a case is due first; None where nothing is waited for."""
    clock = case.due_first()
    if clock is None or clock.due_at is None:
        return None
    return DueFirst(clock.kind, _clock_name(clock.kind, rules), clock.due_at)


@dataclass(frozen=True, slots=True)
class Told:
    """A line of the history. Why is told by `words`, else by `code` and what it is `of`.

    Without both of them it is what somebody said or wrote: `line.why` as it stands, or the
    `options` that were proposed, with their amounts. `case` is the number of another case that it
    is about.
    """

    line: HistoryView
    words: Both | None = None
    code: str | None = None
    of: str | None = None
    case: str | None = None
    options: Sequence[Mapping[str, Any]] = ()


def told(entry: Entry, spoken: Mapping[str, Spoken], people: People, rules: Rules) -> Told:
    """Return a line of the history with its reason in words."""
    line = HistoryView.of(entry, spoken)
    why, names_a_case = entry.why, entry.action in _OF_CASES
    if entry.words_id is not None or why is None or names_a_case:
        said, case = spoken.get(entry.words_id or ""), why if names_a_case else None
        return Told(line, case=case, options=said.options if said else ())
    if entry.action in _OF_CLOCKS:
        return Told(line, words=_of_clock(why, rules))
    if entry.action in _OF_PEOPLE:
        return Told(line, words=_of_whom(why, people))
    if entry.action == BIND:
        return Told(line, words=_joined([_clock_name(kind, rules) for kind in why.split(", ")]))
    if entry.action == REGRADE and (found := _GRADES.fullmatch(why)) is not None:
        return Told(line, words=_regraded(*found.groups()))
    joint = ": " if entry.action == ESCALATE else " to "
    code, _, of = why.partition(joint)
    return Told(line, code=code, of=of or None)


def _of_clock(why: str, rules: Rules) -> Both:
    kind, _, mark = why.partition(": ")
    name = _clock_name(kind, rules)
    if not mark:
        return name
    used = _used(Mark.parse(mark))
    return Both(f"{name.zh}：{used.zh}", f"{name.en}: {used.en}")


def _used(mark: Mark) -> Both:
    if mark.percent is not None:
        return Both(f"时限已用 {mark.percent}%", f"{mark.percent}% of the time is used")
    before = span(mark.before_seconds or 0)
    return Both(f"离到期还有 {before.zh}", f"{before.en} before it is due")


def _clock_name(kind: str, rules: Rules) -> Both:
    if not is_of_a_pack(kind):
        return name_of(kind)
    found = (pack for pack in rules.packs.values() if pack.has(kind))
    return next((pack.name_of(kind) for pack in found), Both(kind, kind))


def _of_whom(why: str, people: People) -> Both:
    if people.organisation.person(why) is not None:
        name = people.person(why) or why
        return Both(name, name)
    return Both(people.department(why, "zh-CN") or why, people.department(why, "en") or why)


def _regraded(old: str, old_priority: str, new: str, priority: str) -> Both:
    zh, en = (
        f"{category_label(old, chinese=chinese)} {old_priority} → "
        f"{category_label(new, chinese=chinese)} {priority}"
        for chinese in (True, False)
    )
    return Both(zh, en)


def _joined(names: list[Both]) -> Both:
    return Both("、".join(one.zh for one in names), ", ".join(one.en for one in names))


class ToneFinding(BaseModel):
    """Words that should not be said, by code points from the beginning of the text."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    start: int
    end: int
    phrase: str
    why: str
    suggestion: str


class ToneVerdict(BaseModel):
    """What notification says of a text; a duty is None where it is neither done nor due."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    ok: bool
    findings: tuple[ToneFinding, ...]
    duties: Mapping[str, bool | None]

    def marked(self, text: str) -> Sequence[tuple[str, bool]]:
        """Return the text in pieces, each with whether it is one of the findings."""
        pieces, done = [], 0
        for found in sorted(self.findings, key=lambda one: one.start):
            if found.start >= done:
                pieces += [(text[done : found.start], False), (text[found.start : found.end], True)]
                done = found.end
        return [piece for piece in (*pieces, (text[done:], False)) if piece[0]]
