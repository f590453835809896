"""Turn the text of an e-mail into its HTML: the same words, one source."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Final

from jinja2 import DictLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape

from services.notification_service.templates.domain.scene import Locale

_URL = re.compile(r"https?://[^\s<>\"]+")


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
        blocks = [_html_block(part) for part in text.split("\n\n")]
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


def _html_block(part: str) -> Markup:
    """Turn one paragraph of text into HTML: quoted lines, a list, or lines of a paragraph."""
    lines = part.strip("\n").splitlines()
    if lines and all(line.startswith("> ") for line in lines):
        return Markup("<blockquote>{}</blockquote>").format(_joined([x[2:] for x in lines]))
    if lines and all(line.startswith("- ") for line in lines):
        items = Markup("").join(Markup("<li>{}</li>").format(_linked(x[2:])) for x in lines)
        return Markup("<ul>{}</ul>").format(items)
    return Markup("<p>{}</p>").format(_joined(lines))


def _joined(lines: list[str]) -> Markup:
    return Markup("<br>").join(_linked(line) for line in lines)


def _linked(line: str) -> Markup:
    out, end = Markup(""), 0
    for match in _URL.finditer(line):
        url = match.group()
        out += escape(line[end : match.start()])
        out += Markup('<a href="{0}">{0}</a>').format(url)
        end = match.end()
    return out + escape(line[end:])
