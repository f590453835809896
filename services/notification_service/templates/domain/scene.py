"""What a wording may speak of: everything is optional."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from shared.kernel.errors import RedressError

_LOOSE_END = re.compile(r"[\s,.;:，。；：、]+$")
_END = re.compile(r"[\s,.;:!，。；：、！]+$")
_CLOSED = (*".!?:。！？：…", ".”", '."', "。”", "！”", "？”")
_CHINESE = re.compile(r"[\u4e00-\u9fff]")

BUILT_IN = "built-in"
"""The version of a wording that comes with the project."""

Locale = Literal["zh-CN", "en"]


class CannotRender(RedressError):
    """A template speaks of something that is not there, or is broken."""

    code = "cannot-render"
    title = "A message could not be written"

    def __init__(self, detail: str, *, line: int | None = None, reason: str = "") -> None:
        super().__init__(detail)
        self.line = line
        self.reason = reason or detail


class OfferedOption(BaseModel):
    """One option as the customer reads it; `amount` as `12.50 CNY`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    key: str
    text: str
    amount: str | None = None
    answer_url: str | None = None


class Scene(BaseModel):
    """The facts and words of one message, as its template sees them."""

    model_config = ConfigDict(frozen=True)

    number: str | None = None
    """The complaint's; a message about a signal has none."""
    name: str | None = None
    description: str | None = None
    tracking_url: str | None = None
    due_at: datetime | None = None
    next_step: str | None = None
    next_due_at: datetime | None = None
    text: str | None = None
    reference: str | None = None
    outcome: str | None = None
    options: tuple[OfferedOption, ...] = ()
    final: bool = False
    round: int = 1
    occurrence: int = 1
    """The how manieth message of its kind it is to this reader about this complaint."""
    category: str | None = None
    urgent: bool = False
    priority: str | None = None
    clock: str | None = None
    level: int | None = None
    cause: str | None = None
    state: str | None = None
    new_due_at: datetime | None = None
    into_number: str | None = None
    amount: str | None = None
    answer_url: str | None = None
    chosen: str | None = None
    survey_url: str | None = None
    case_url: str | None = None
    score: int | None = None
    wants_call: bool = False
    product: str | None = None
    region: str | None = None
    count: int | None = None
    """How many complaints a signal is about."""
    usual: float | None = None
    """How many are usual in as long a time."""
    since: datetime | None = None
    until: datetime | None = None
    owner: str | None = None
    """Who leads an incident, by name."""
    leads: bool = False
    """Whether that is the reader."""
    complaints_url: str | None = None
    """Where the complaints behind a signal are listed."""
    preferences_url: str | None = None
    instead_of: str | None = None
    """Whom a member of staff hears it for, because they cannot be reached."""
    timezone: str | None = None
    """The reader's zone where it is known: times are written by their clock."""
    names_zone: bool = False
    """Whether times say that they are the company's: the reader may be where it is another hour."""


class Rendered(BaseModel):
    """A message ready to be sent: an SMS has only `text`, an e-mail all three.

    `template` is the version of the wording it was written with.
    """

    model_config = ConfigDict(frozen=True)

    text: str
    subject: str | None = None
    html: str | None = None
    template: str = BUILT_IN


def as_clause(words: str) -> str:
    """Return what somebody wrote without the mark at its end: our own sentence goes on after it."""
    return _END.sub("", words)


def as_sentence(words: str) -> str:
    """Return what somebody wrote with a mark at its end: another sentence begins after it."""
    bare = words.rstrip()
    if not bare or bare.endswith(_CLOSED):
        return bare
    return bare + ("。" if _CHINESE.search(bare) else ".")


def shortened(words: str, most: int) -> str:
    """Return words on one line, cut at a boundary so that at most `most` characters remain."""
    flat = " ".join(words.split())
    if len(flat) <= most:
        return flat
    cut = flat[: most - 1]
    # Latin words are not cut through; Chinese has no spaces near its end to cut at.
    space = flat.rfind(" ", 0, most)
    if space > most * 2 // 3:
        cut = cut[:space]
    return _LOOSE_END.sub("", cut) + "…"
