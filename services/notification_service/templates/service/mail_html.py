"""Turn the text of an e-mail into its HTML: the same words, one source.

Empty lines part paragraphs; `> ` quotes; `- ` begins an item, and indented lines go on with it. A
line that ends with `what to do: address` becomes a button, because an address of eighty characters
is nothing to hit with a thumb.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.resources import files
from typing import Final, NamedTuple

from jinja2 import DictLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape

from services.notification_service.templates.domain.scene import Locale

# Chinese is written on without a space: what ends a sentence or bracket is no part of an address.
_URL: Final = re.compile(
    r"https?://[^\s<>\"，。；：！？、…（）《》「」『』【】“”‘’]*[^\s<>\"，。；：！？、…（）《》「」『』【】“”‘’.,;:!?')\]]"
)
_ENDS: Final = ("。", "！", "？", ". ", "! ", "? ")
_WIDEST: Final = 40
_OPEN: Final[dict[Locale, str]] = {"zh-CN": "打开页面", "en": "Open the page"}
_BUTTON: Final = Markup('<a class="button{}" href="{}">{}</a>')
_LINK: Final = Markup('<a href="{}">{}</a>')
_NUMBER: Final = re.compile(r"\b[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]\b", re.ASCII)
_WHOLE: Final = Markup('<span class="number">{}</span>')
_CHOICE: Final = Markup('<a class="choice" href="{}">{}</a>')
_FIRST, _SECOND = "", " second"


class _Call(NamedTuple):
    """Something to do: what leads to it, what the button says, and where it goes."""

    lead: str
    what: str
    url: str


class MailPage:
    """The page around every e-mail; whatever stands in it is escaped."""

    def __init__(self, company: str) -> None:
        self._company = company
        root = files("services.notification_service.templates").joinpath("wording")
        source = root.joinpath("wrapper.html").read_text(encoding="utf-8")
        environment = ImmutableSandboxedEnvironment(
            loader=DictLoader({"wrapper.html": source}), undefined=StrictUndefined, autoescape=True
        )
        self._wrapper: Final = environment.get_template("wrapper.html")

    def write(
        self, locale: Locale, subject: str, text: str, *, footer: tuple[str, str] | None = None
    ) -> str:
        """Return the HTML of a message's text; `footer` are words and an address under it."""
        parts = [part.strip("\n").splitlines() for part in text.split("\n\n")]
        # Where options are to be chosen from, those are what the mail is for.
        choices = any(len(lines) > 1 and _goes_on(lines[1], locale) for lines in parts)
        weight = _SECOND if choices else _FIRST
        blocks = [_html_block(lines, weight, locale) for lines in parts if lines]
        return self._wrapper.render(
            lang=locale, subject=subject, blocks=blocks, company=self._company, footer=footer
        )


def one_line(text: str) -> str:
    """Return text on one line."""
    return " ".join(text.split())


def paragraphs(text: str) -> str:
    """Return text without blanks at the ends of lines and with single empty lines between."""
    lines = "\n".join(line.rstrip() for line in text.strip().splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines) + "\n"


def _html_block(lines: Sequence[str], weight: str, locale: Locale) -> Markup:
    """Turn one paragraph of text into HTML."""
    if all(line.startswith("> ") for line in lines):
        quoted = Markup("<br>").join(_linked(line[2:]) for line in lines)
        return Markup("<blockquote>{}</blockquote>").format(quoted)
    if lines[0].startswith("- ") and all(line.startswith(("- ", "  ")) for line in lines):
        return Markup("<ul>{}</ul>").format(_items(lines, locale))
    called = _called(lines[-1], locale)
    if called is None:
        return Markup("<p>{}</p>").format(Markup("<br>").join(_linked(line) for line in lines))
    led = [_linked(line) for line in (*lines[:-1], called.lead) if line]
    return Markup("<p>{}</p>").format(Markup("<br>").join([*led, _button(called, weight)]))


def _items(lines: Sequence[str], locale: Locale) -> Markup:
    items: list[Markup] = []
    for line in lines:
        called = _called(line[2:].strip(), locale)
        if line.startswith("- "):
            named = called is not None and not called.lead
            said = _CHOICE.format(called.url, called.what) if called and named else None
            items.append(said or _linked(line[2:]))
        else:
            items[-1] += Markup("<br>")
            items[-1] += _button(called, _FIRST) if called else _linked(line.strip())
    return Markup("").join(Markup("<li>{}</li>").format(item) for item in items)


def _goes_on(line: str, locale: Locale) -> bool:
    return line.startswith("  ") and _called(line.strip(), locale) is not None


def _called(line: str, locale: Locale) -> _Call | None:
    """Return what a line calls for, None for one that calls for nothing.

    The last sentence says what the button does; where it is too long for one, it stays a sentence.
    """
    # By hand and not by one pattern: a pattern that looks for both ends of a long line is slow.
    place = max(line.rfind("http://"), line.rfind("https://"))
    url, said = line[max(place, 0) :], line[: max(place, 0)].rstrip()
    if _URL.fullmatch(url) is None:
        return None
    if not said:
        return _Call("", _OPEN[locale], url)
    if not said.endswith((":", "：")):
        return None
    cut = max(said.rfind(end) + len(end) if end in said else 0 for end in _ENDS)
    lead, what = said[:cut].strip(), said[cut:-1].strip()
    if not what or _width(what) > _WIDEST or re.search("[，,；;]", what):
        return _Call(said, _OPEN[locale], url)
    return _Call(lead, what, url)


def _width(text: str) -> int:
    return sum(1 if character.isascii() else 2 for character in text)


def _button(called: _Call, weight: str) -> Markup:
    return _BUTTON.format(weight, called.url, called.what)


def _linked(line: str) -> Markup:
    out, end = Markup(""), 0
    for match in _URL.finditer(line):
        url = match.group()
        out += _worded(line[end : match.start()])
        out += _LINK.format(url, url)
        end = match.end()
    return out + _worded(line[end:])


def _worded(text: str) -> Markup:
    """Escape words; a complaint's number, which is read out over a phone, stays on one line."""
    out, end = Markup(""), 0
    for match in _NUMBER.finditer(text):
        out += escape(text[end : match.start()]) + _WHOLE.format(match.group())
        end = match.end()
    return out + escape(text[end:])
