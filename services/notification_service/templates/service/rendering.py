"""Render messages: one sandboxed template per kind and language, blocks sms, subject, email."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from functools import partial
from importlib.resources import files
from types import TracebackType
from typing import Final, get_args
from zoneinfo import ZoneInfo

from babel import Locale as BabelLocale
from babel.dates import format_datetime
from babel.numbers import format_currency, format_decimal
from jinja2 import StrictUndefined, Template, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from services.notification_service.templates.domain.language import BLOCKS, is_for_staff
from services.notification_service.templates.domain.names import name_of, promise_of, standing_of
from services.notification_service.templates.domain.scene import (
    BUILT_IN,
    CannotRender,
    Locale,
    Rendered,
    Scene,
    as_clause,
    as_sentence,
    shortened,
)
from services.notification_service.templates.domain.sms import economical
from services.notification_service.templates.service.mail_html import MailPage, one_line, paragraphs
from shared.events.words import MessageChannel
from shared.web.categories import category_label
from shared.web.regions import region_label
from shared.web.zones import clock_of

_PATTERNS: Final[dict[Locale, str]] = {"zh-CN": "M月d日（EEE）HH:mm", "en": "EEE d MMM, HH:mm"}
_ELSEWHERE: Final[dict[Locale, str]] = {"zh-CN": "{}（{}）", "en": "{} ({})"}
# Parsed once: Babel reads a locale's name anew at every call, which cost more than all the rest.
_BABEL: Final[dict[Locale, BabelLocale]] = {
    "zh-CN": BabelLocale.parse("zh_CN"),
    "en": BabelLocale.parse("en_GB"),
}
_PLAIN: Final = (
    *("number", "name", "company", "category", "tracking_url", "reference", "outcome"),
    *("into_number", "text", "level", "round", "priority", "promise", "standing"),
    *("count", "usual", "times", "product", "region", "owner"),
)
# Beneath every mail to staff, whatever a company words above it: where to act on what it says.
_OPEN_THE_CASE: Final[dict[Locale, str]] = {"zh-CN": "打开工单：", "en": "Open the case: "}
_SEE_COMPLAINTS: Final[dict[Locale, str]] = {
    "zh-CN": "查看这些投诉：",
    "en": "See the complaints: ",
}
# Above what a stand-in gets, whatever a company words below it: it speaks to somebody else.
_IN_STEAD: Final[dict[Locale, str]] = {
    "zh-CN": "联系不上 {}，这条消息改由您处理。",
    "en": " {} cannot be reached, so this comes to you instead.",
}
# Under every e-mail to a customer, whatever a company words above it: a way out is owed.
_CHOOSE: Final[dict[Locale, str]] = {
    "zh-CN": "设置接收方式、免打扰时段或退订",
    "en": "Choose how and when we write to you, or unsubscribe",
}
_HARDLY_ANY: Final = 0.05
LOCALES: Final[tuple[Locale, ...]] = get_args(Locale)
# Ten full names and a complaint of the greatest length fit; what repeats it without end does not.
_LONGEST = 200_000


class Templates:
    """The wordings of all kinds in all languages.

    Times are in the reader's zone where it is known, and say which where another clock than the
    company's shows them; else they are in the company's.
    """

    def __init__(
        self, *, zone: ZoneInfo, company: str, staff_url: str = "http://127.0.0.1:8000"
    ) -> None:
        """`staff_url` is where the pages of cases are, without a slash at its end."""
        self._zone = zone
        self._cases = f"{staff_url}/cases/"
        self._company = company
        self._page = MailPage(company)
        # What is not there leaves a hole in our own wordings, which are tried in every scene before
        # a release; in a company's it is refused, and ours says it instead.
        self._lenient, self._strict = _environment(_blank), _environment(_said)
        self._sources = _read_wordings()
        self._built_in: dict[tuple[Locale, str], Template] = {}

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds that have a wording, by name."""
        return tuple(sorted({kind for _, kind in self._sources}))

    def source(self, kind: str, locale: Locale) -> str | None:
        """Return the wording that comes with the project, None for an unknown kind."""
        return self._sources.get((locale, kind))

    def digest(self, kind: str, locale: Locale) -> str:
        """Return what tells one release's wording from another's."""
        return hashlib.sha256(self._sources[locale, kind].encode()).hexdigest()

    def read(self, source: str) -> Template:
        """Read a wording; raises jinja2.TemplateError where it cannot be."""
        return self._strict.from_string(source)

    def render(
        self,
        kind: str,
        locale: Locale,
        channel: MessageChannel,
        scene: Scene,
        own: tuple[str, Template] | None = None,
    ) -> Rendered:
        """Write one message; raises CannotRender naming the template and what it lacks.

        `own` is the version and the wording of a company that stands for the one that comes with
        the project.
        """
        version, template = own or (BUILT_IN, self._packaged(kind, locale))
        if template is None:
            raise CannotRender(f"there is no wording {locale}/{kind}.j2")
        write = partial(_block, template, self._context(locale, scene), f"{locale}/{kind}")
        notice = _IN_STEAD[locale].format(scene.instead_of) if scene.instead_of else ""
        if channel is not MessageChannel.EMAIL:
            sms = economical(one_line(write("sms") + notice))
            return Rendered(text=sms, template=version)
        subject, text = one_line(write("subject")), paragraphs(f"{notice}\n\n{write('email')}")
        if is_for_staff(kind) and (where := self._where_to_act(locale, scene)):
            text += f"\n{where}\n"
        footer = (_CHOOSE[locale], url) if (url := scene.preferences_url) else None
        html = self._page.write(locale, subject, text, footer=footer)
        if footer is not None:
            text += "\n{}\n{}\n".format(*footer)
        return Rendered(text=text, subject=subject, html=html, template=version)

    def _where_to_act(self, locale: Locale, scene: Scene) -> str | None:
        if scene.complaints_url:
            return f"{_SEE_COMPLAINTS[locale]}{scene.complaints_url}"
        # A merged complaint's own case is closed: what is to be done is done in the other.
        number = scene.into_number or scene.number
        return f"{_OPEN_THE_CASE[locale]}{self._cases}{number}" if number else None

    def _packaged(self, kind: str, locale: Locale) -> Template | None:
        """Return the project's wording, compiled when first needed: all take half a second."""
        place = locale, kind
        if place not in self._built_in and place in self._sources:
            self._built_in[place] = self._lenient.from_string(self._sources[place])
        return self._built_in.get(place)

    def values(self, locale: Locale, scene: Scene) -> dict[str, str]:
        """Return the scene's single facts as a reader sees them: for wordings that vendors keep.

        What the scene does not have is absent.
        """
        words = self._context(locale, scene)
        times = ("due_at", "next_due_at", "new_due_at", "since", "until")
        write = partial(self._at, locale, scene)
        found = {name: write(at) for name in times if (at := getattr(scene, name))}
        found |= {name: str(words[name]) for name in _PLAIN if words[name] is not None}
        named = {"clock": "clock_name", "cause": "cause_name", "next_step": "next_step_name"}
        found |= {name: str(words[of]) for name, of in named.items() if words[of] is not None}
        if scene.tracking_url:
            found["tracking_token"] = scene.tracking_url.rstrip("/").rpartition("/")[2]
        return found

    def _context(self, locale: Locale, scene: Scene) -> dict[str, object]:
        given: dict[str, object] = {name: getattr(scene, name) for name in Scene.model_fields}
        at = partial(self._at, locale, scene)
        return given | {
            "company": self._company,
            "at": at,
            "category": scene.category
            and category_label(scene.category, chinese=locale == "zh-CN"),
            "region": scene.region and region_label(scene.region, chinese=locale == "zh-CN"),
            "usual": _figure(locale, scene.usual),
            "times": _figure(locale, _times(scene)),
            "price": partial(_price, locale),
            "promise": promise_of(
                scene.next_step,
                at(scene.next_due_at) if scene.next_due_at else None,
                locale,
            ),
            "standing": standing_of(scene.state, locale),
            "clock_name": name_of(scene.clock, locale),
            "cause_name": name_of(scene.cause, locale),
            "next_step_name": name_of(scene.next_step, locale),
        }

    def _at(self, locale: Locale, scene: Scene, instant: datetime) -> str:
        zone = ZoneInfo(scene.timezone) if scene.timezone else self._zone
        local = instant.astimezone(zone)
        written = format_datetime(local, _PATTERNS[locale], locale=_BABEL[locale])
        same_hour = local.utcoffset() == instant.astimezone(self._zone).utcoffset()
        if same_hour and not scene.names_zone:
            return written
        return _ELSEWHERE[locale].format(written, clock_of(zone.key, chinese=locale == "zh-CN"))


def _environment(finalize: Callable[[object], object]) -> ImmutableSandboxedEnvironment:
    # Text is never escaped here and the page always escapes: so that neither forgets.
    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
        finalize=finalize,
    )
    environment.filters |= {"short": shortened, "clause": as_clause, "sentence": as_sentence}
    return environment


def _block(template: Template, context: Mapping[str, object], name: str, block: str) -> str:
    assert block in BLOCKS
    if block not in template.blocks:
        raise CannotRender(f"{name} has no block {block}")
    try:
        return _bounded(template.blocks[block](template.new_context(dict(context))), name)
    # The sandbox lets operators through as they are: a wording may raise whatever they raise.
    except (
        TemplateError,
        TypeError,
        ValueError,
        AttributeError,
        ArithmeticError,
        LookupError,
    ) as failure:
        line, reason = _line_of(failure.__traceback__, template), _reason(failure)
        raise CannotRender(f"{name}, line {line}: {reason}", line=line, reason=reason) from failure


def _bounded(parts: Iterable[str], name: str) -> str:
    """Join what a wording writes, and stop it where it goes on for longer than anybody reads."""
    kept: list[str] = []
    length = 0
    for part in parts:
        kept.append(part)
        length += len(part)
        if length > _LONGEST:
            reason = f"over {_LONGEST:,} characters are more than anybody reads"
            raise CannotRender(f"{name}: {reason}", reason=reason)
    return "".join(kept)


def _reason(failure: Exception) -> str:
    # Other errors may repeat a value, and values are the customer's.
    if isinstance(failure, TemplateError):
        return failure.message or "cannot be written"
    return "something here is not what the wording takes it for"


def _line_of(traceback: TracebackType | None, template: Template) -> int:
    """Return the line of the wording that was being written when an error rose."""
    line = 1
    while traceback is not None:
        if traceback.tb_frame.f_globals.get("__jinja_template__") is template:
            line = template.get_corresponding_lineno(traceback.tb_lineno)
        traceback = traceback.tb_next
    return line


def _blank(value: object) -> object:
    return "" if value is None else value


def _said(value: object) -> object:
    """Let nothing be said that is not there: no person wants to read `None`."""
    if value is None:
        raise TemplateError("what is to be said here is not always there: ask with {% if %} first")
    return value


def _times(scene: Scene) -> float | None:
    """Return how many times as many as usual came; None where hardly any are usual."""
    if scene.count is None or scene.usual is None or scene.usual < _HARDLY_ANY:
        return None
    return scene.count / scene.usual


def _figure(locale: Locale, figure: float | None) -> str | None:
    """Write a figure with one place, and without one from ten on; None where it is next to none."""
    if figure is None or figure < _HARDLY_ANY:
        return None
    return format_decimal(figure, "#,##0" if figure >= 10 else "0.#", locale=_BABEL[locale])


def _price(locale: Locale, amount: str) -> str:
    """Write `12.50 CNY` as the reader does: ¥12.50."""
    figure, _, currency = amount.partition(" ")
    return format_currency(Decimal(figure), currency, locale=_BABEL[locale])


def _read_wordings() -> dict[tuple[Locale, str], str]:
    root = files("services.notification_service.templates").joinpath("wording")
    return {
        (locale, file.name.removesuffix(".j2")): file.read_text(encoding="utf-8")
        for locale in LOCALES
        for file in root.joinpath(locale).iterdir()
        if file.name.endswith(".j2")
    }
