"""Turn the text of an e-mail into its HTML: the same words, one source.

Empty lines part paragraphs; `> ` quotes; `- ` begins an item, and indented lines go on with it. A
line `what to do: address` becomes a button, because an address of eighty characters is nothing to
hit with a thumb.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.resources import files
from typing import Final

from jinja2 import DictLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape

from services.notification_service.templates.domain.scene import Locale

_URL: Final = re.compile(r"https?://[^\s<>\"]+")
_CALL: Final = re.compile(r"(?P<what>[^\s].{0,79}?)\s?[:：]\s?(?P<url>https?://[^\s<>\"]+)")
_BUTTON: Final = Markup('<a class="button{}" href="{}">{}</a>')
_LINK: Final = Markup('<a href="{}">{}</a>')
_FIRST, _SECOND = "", " second"


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

    def write(self, locale: Locale, subject: str, text: str) -> str:
        """Return the HTML of a message's text."""
        parts = [part.strip("\n").splitlines() for part in text.split("\n\n")]
        # Where options are to be chosen from, those are what the mail is for.
        choices = any(len(lines) > 1 and _goes_on(lines[1]) for lines in parts)
        weight = _SECOND if choices else _FIRST
        blocks = [_html_block(lines, weight) for lines in parts if lines]
        return self._wrapper.render(
            lang=locale, subject=subject, blocks=blocks, company=self._company
        )


def one_line(text: str) -> str:
    """Return text on one line."""
    return " ".join(text.split())


def paragraphs(text: str) -> str:
    """Return text without blanks at the ends of lines and with single empty lines between."""
    lines = "\n".join(line.rstrip() for line in text.strip().splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines) + "\n"


def _html_block(lines: Sequence[str], weight: str) -> Markup:
    """Turn one paragraph of text into HTML."""
    if all(line.startswith("> ") for line in lines):
        quoted = Markup("<br>").join(_linked(line[2:]) for line in lines)
        return Markup("<blockquote>{}</blockquote>").format(quoted)
    if lines[0].startswith("- ") and all(line.startswith(("- ", "  ")) for line in lines):
        return Markup("<ul>{}</ul>").format(_items(lines))
    called = _CALL.fullmatch(lines[0]) if len(lines) == 1 else None
    if called is not None:
        return Markup("<p>{}</p>").format(_button(called, weight))
    return Markup("<p>{}</p>").format(Markup("<br>").join(_linked(line) for line in lines))


def _items(lines: Sequence[str]) -> Markup:
    items: list[Markup] = []
    for line in lines:
        called = _CALL.fullmatch(line[2:].strip())
        if line.startswith("- "):
            named = _LINK.format(called["url"], called["what"]) if called else _linked(line[2:])
            items.append(named)
        else:
            said = _button(called, _FIRST) if called else _linked(line.strip())
            items[-1] += Markup("<br>") + said
    return Markup("").join(Markup("<li>{}</li>").format(item) for item in items)


def _goes_on(line: str) -> bool:
    return line.startswith("  ") and _CALL.fullmatch(line.strip()) is not None


def _button(called: re.Match[str], weight: str) -> Markup:
    return _BUTTON.format(weight, called["url"], called["what"])


def _linked(line: str) -> Markup:
    out, end = Markup(""), 0
    for match in _URL.finditer(line):
        url = match.group()
        out += escape(line[end : match.start()])
        out += _LINK.format(url, url)
        end = match.end()
    return out + escape(line[end:])
