"""Render messages: one sandboxed template per kind and language, blocks sms, subject, email."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from functools import partial
from importlib.resources import files
from typing import Final
from zoneinfo import ZoneInfo

from babel import Locale as BabelLocale
from babel.dates import format_datetime
from babel.numbers import format_currency
from jinja2 import DictLoader, StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape

from services.notification_service.templates.domain.names import name_of, promise_of, standing_of
from services.notification_service.templates.domain.scene import (
    CannotRender,
    Locale,
    Rendered,
    Scene,
    shortened,
)
from services.notification_service.templates.domain.sms import economical
from shared.events.words import MessageChannel

_URL = re.compile(r"https?://[^\s<>\"]+")
_PATTERNS: Final[dict[Locale, str]] = {"zh-CN": "M月d日（EEE）HH:mm", "en": "EEE d MMM, HH:mm"}
# Parsed once: Babel reads a locale's name anew at every call, which cost more than all the rest.
_BABEL: Final[dict[Locale, BabelLocale]] = {
    "zh-CN": BabelLocale.parse("zh_CN"),
    "en": BabelLocale.parse("en_GB"),
}
_PLAIN: Final = (
    *("number", "name", "company", "category", "tracking_url", "reference", "outcome"),
    *("into_number", "text", "level", "round", "priority", "promise", "standing"),
)
LOCALES: Final[tuple[Locale, ...]] = ("zh-CN", "en")


class Templates:
    """The wordings of all kinds in all languages, with times in the company's zone."""

    def __init__(self, *, zone: ZoneInfo, company: str) -> None:
        self._zone = zone
        self._company = company
        sources = _read_wordings()
        # Text is never escaped and HTML always is: two environments, so that neither forgets.
        self._text = ImmutableSandboxedEnvironment(
            loader=DictLoader(sources),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            autoescape=False,
        )
        self._text.filters["short"] = shortened
        self._html = ImmutableSandboxedEnvironment(
            loader=DictLoader(sources), undefined=StrictUndefined, autoescape=True
        )

    def render(self, kind: str, locale: Locale, channel: MessageChannel, scene: Scene) -> Rendered:
        """Write one message; raises CannotRender naming the template and what it lacks."""
        context = self._context(locale, scene)
        if channel is MessageChannel.SMS:
            return Rendered(text=economical(_one_line(self._block(kind, locale, "sms", context))))
        subject = _one_line(self._block(kind, locale, "subject", context))
        text = _paragraphs(self._block(kind, locale, "email", context))
        return Rendered(text=text, subject=subject, html=self._page(locale, subject, text))

    def values(self, locale: Locale, scene: Scene) -> dict[str, str]:
        """Return the scene's single facts as a reader sees them: for wordings that vendors keep.

        What the scene does not have is absent.
        """
        words = self._context(locale, scene)
        times = ("due_at", "next_due_at", "new_due_at")
        found = {name: self._at(locale, at) for name in times if (at := getattr(scene, name))}
        found |= {name: str(words[name]) for name in _PLAIN if words[name] is not None}
        named = {"clock": "clock_name", "cause": "cause_name", "next_step": "next_step_name"}
        found |= {name: str(words[of]) for name, of in named.items() if words[of] is not None}
        if scene.tracking_url:
            found["tracking_token"] = scene.tracking_url.rstrip("/").rpartition("/")[2]
        return found

    def _block(self, kind: str, locale: Locale, block: str, context: dict[str, object]) -> str:
        name = f"{locale}/{kind}.j2"
        try:
            template = self._text.get_template(name)
            return "".join(template.blocks[block](template.new_context(context)))
        except KeyError:
            raise CannotRender(f"{name} has no block {block}") from None
        except TemplateError as failure:
            raise CannotRender(f"{name}: {failure.message}") from failure

    def _context(self, locale: Locale, scene: Scene) -> dict[str, object]:
        given: dict[str, object] = {name: getattr(scene, name) for name in Scene.model_fields}
        return given | {
            "company": self._company,
            "at": partial(self._at, locale),
            "price": partial(_price, locale),
            "promise": promise_of(
                scene.next_step,
                self._at(locale, scene.next_due_at) if scene.next_due_at else None,
                locale,
            ),
            "standing": standing_of(scene.state, locale),
            "clock_name": name_of(scene.clock, locale),
            "cause_name": name_of(scene.cause, locale),
            "next_step_name": name_of(scene.next_step, locale),
        }

    def _at(self, locale: Locale, instant: datetime) -> str:
        local = instant.astimezone(self._zone)
        return format_datetime(local, _PATTERNS[locale], locale=_BABEL[locale])

    def _page(self, locale: Locale, subject: str, text: str) -> str:
        blocks = [_html_block(part) for part in text.split("\n\n")]
        template = self._html.get_template("wrapper.html")
        return template.render(lang=locale, subject=subject, blocks=blocks, company=self._company)


def _price(locale: Locale, amount: str) -> str:
    """Write `12.50 CNY` as the reader does: ¥12.50."""
    figure, _, currency = amount.partition(" ")
    return format_currency(Decimal(figure), currency, locale=_BABEL[locale])


def _read_wordings() -> dict[str, str]:
    root = files(__package__).joinpath("wording")
    found = {"wrapper.html": root.joinpath("wrapper.html").read_text(encoding="utf-8")}
    for locale in LOCALES:
        for file in root.joinpath(locale).iterdir():
            if file.name.endswith(".j2"):
                found[f"{locale}/{file.name}"] = file.read_text(encoding="utf-8")
    return found


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _paragraphs(text: str) -> str:
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
