"""How pages write instants, time spans and numbers, in the reader's language and zone."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from babel import dates, numbers
from babel.support import NullTranslations
from markupsafe import Markup, escape

from shared.kernel.clock import Clock, from_rfc3339, to_rfc3339
from shared.web.categories import category_label
from shared.web.i18n import Language
from shared.web.regions import region_label
from shared.web.zones import BEIJING, clock_of

Instant = datetime | str
"""An aware datetime, or its RFC 3339 text as our own answers carry it."""

_NOTHING = "–"
_AFTER_FIGURE = re.compile(r"(?<=\d) ")
_UNITS: tuple[tuple[str, int], ...] = (
    ("year", 31_536_000),
    ("month", 2_592_000),
    ("day", 86_400),
    ("hour", 3_600),
    ("minute", 60),
)


class Formats:
    """The filters of one language. Every one takes None and writes a dash for it."""

    def __init__(
        self, language: Language, zone: ZoneInfo, clock: Clock, words: NullTranslations
    ) -> None:
        self._locale = language.locale
        self._chinese = language.tag == "zh-CN"
        self._zone = zone
        self._clock = clock
        self._words = words

    def filters(self) -> Mapping[str, Callable[..., str]]:
        """Return the filters by the names that templates use."""
        return {
            "datetime": self.datetime,
            "date": self.date,
            "clock_time": self.clock_time,
            "exact": self.exact,
            "time_tag": self.time_tag,
            "ago_tag": self.ago_tag,
            "due_tag": self.due_tag,
            "ago": self.ago,
            "due": self.due,
            "span": self.span,
            "took": self.took,
            "number": self.number,
            "percent": self.percent,
            "money": self.money,
            "category": self.category,
            "region": self.region,
            "ticks": ticks,
        }

    def category(self, code: str | None) -> str:
        """Write what a category is called: `物流：短少`, `Delivery: Short`."""
        return _NOTHING if code is None else category_label(code, chinese=self._chinese)

    def region(self, code: str | None) -> str:
        """Write what a region is called: `上海`, `Shanghai`."""
        return _NOTHING if code is None else region_label(code, chinese=self._chinese)

    def datetime(self, instant: Instant | None) -> str:
        """Write day and time of day: `2026年11月22日 16:00`, `22 Nov 2026, 16:00`."""
        if instant is None:
            return _NOTHING
        pattern = "y年M月d日 HH:mm" if self._chinese else "d MMM y, HH:mm"
        return dates.format_datetime(_read(instant), pattern, self._zone, self._locale)

    def date(self, day: Instant | date | None) -> str:
        """Write a day: `2026年11月22日`, `22 Nov 2026`."""
        if day is None:
            return _NOTHING
        if isinstance(day, str):
            day = _read(day) if "T" in day else date.fromisoformat(day)
        if isinstance(day, datetime):
            day = day.astimezone(self._zone).date()
        return dates.format_date(day, "y年M月d日" if self._chinese else "d MMM y", self._locale)

    def clock_time(self, instant: Instant | None) -> str:
        """Write the time of day: `16:00`."""
        if instant is None:
            return _NOTHING
        return dates.format_time(_read(instant), "HH:mm", self._zone, self._locale)

    def exact(self, instant: Instant | None) -> str:
        """Write an instant to the second with zone and UTC, for a hover."""
        if instant is None:
            return _NOTHING
        moment = _read(instant)
        local = moment.astimezone(self._zone)
        return f"{local:%Y-%m-%d %H:%M:%S %Z} · {to_rfc3339(moment.replace(microsecond=0))}"

    def time_tag(self, instant: Instant | None) -> str:
        """Write day and time inside `<time>`, with the exact instant on hover."""
        return self._tag(instant, self.datetime(instant))

    def ago_tag(self, instant: Instant | None) -> str:
        """Write how long ago inside `<time>`, with the exact instant on hover."""
        return self._tag(instant, self.ago(instant))

    def due_tag(self, instant: Instant | None) -> str:
        """Write how much time is left inside `<time>`, with the exact instant on hover."""
        return self._tag(instant, self.due(instant))

    def ago(self, instant: Instant | None) -> str:
        """Write how long ago: `3 小时前`, `3 hours ago`, `just now`; of the future `in 3 hours`."""
        if instant is None:
            return _NOTHING
        passed = (self._clock.now() - _read(instant)).total_seconds()
        if abs(passed) < 60:
            return self._words.gettext("just now")
        template = "%(span)s ago" if passed > 0 else "in %(span)s"
        return self._words.gettext(template) % {"span": self.span(abs(passed))}

    def due(self, instant: Instant | None) -> str:
        """Write how far off a due time is: `还剩 3 小时`, `2 days late`."""
        if instant is None:
            return _NOTHING
        left = (_read(instant) - self._clock.now()).total_seconds()
        template = "%(span)s left" if left >= 0 else "%(span)s late"
        return self._words.gettext(template) % {"span": self.span(abs(left))}

    def span(self, seconds: float | timedelta | None) -> str:
        """Write a length of time in its largest unit, and the next one where that tells more."""
        if seconds is None:
            return _NOTHING
        whole = int(seconds.total_seconds() if isinstance(seconds, timedelta) else seconds)
        for index, (unit, size) in enumerate(_UNITS):
            if whole < size:
                continue
            count, rest = divmod(whole, size)
            text = self._unit(count, unit)
            if count < 3 and index + 1 < len(_UNITS):
                smaller, smaller_size = _UNITS[index + 1]
                if rest >= smaller_size:
                    text += " " + self._unit(rest // smaller_size, smaller)
            return text
        return self._unit(whole, "second")

    def took(self, seconds: float | None) -> str:
        """Write how long something took: as a span, and `< 1 秒`, `< 1 s` for what none tells.

        In a narrow column it breaks between its units only.
        """
        if seconds is not None and seconds < 1:
            return "<\N{NO-BREAK SPACE}1\N{NO-BREAK SPACE}" + ("秒" if self._chinese else "s")
        return _AFTER_FIGURE.sub("\N{NO-BREAK SPACE}", self.span(seconds))

    def number(self, value: float | Decimal | None) -> str:
        """Write a number with its groups of digits."""
        return _NOTHING if value is None else numbers.format_decimal(value, locale=self._locale)

    def percent(self, share: float | None) -> str:
        """Write a share of one in percent, with one decimal."""
        if share is None:
            return _NOTHING
        return numbers.format_percent(share, "#,##0.#%", locale=self._locale)

    def money(self, amount: str | Decimal | None, currency: str = "CNY") -> str:
        """Write an amount of money; the amount is a string as in our answers."""
        if amount is None:
            return _NOTHING
        return numbers.format_currency(Decimal(amount), currency, locale=self._locale)

    def zone_name(self) -> str:
        """Write what people call the zone: `北京时间`, `China Time`."""
        if self._chinese and self._zone.key == "Asia/Shanghai":
            return BEIJING
        name = dates.get_timezone_name(self._zone, locale=self._locale)
        if "(" in name or "（" in name:  # no country has this zone: UTC
            return dates.get_timezone_name(self._zone, zone_variant="standard", locale=self._locale)
        return name

    def clock_name(self) -> str:
        """Write the zone as messages do, by a city: `伦敦时间`, `London time`."""
        return clock_of(self._zone.key, chinese=self._chinese)

    def counted(self, singular: str, plural: str, count: float, **variables: object) -> str:
        """Return a counting sentence in its right number, the figure with its groups of digits."""
        text = Markup(self._words.ngettext(singular, plural, int(count)))  # noqa: S704 – our own
        return text % {**variables, "num": self.number(count)}

    def _tag(self, instant: Instant | None, text: str) -> str:
        if instant is None:
            return text
        stamp = to_rfc3339(_read(instant))
        return Markup('<time datetime="{}" title="{}">{}</time>').format(
            stamp, self.exact(instant), text
        )

    def _unit(self, count: int, unit: str) -> str:
        if self._chinese:
            # CLDR writes 3小时; a space between figure and word is what readers here are used to.
            return f"{count} {_CHINESE_UNITS[unit]}"
        return f"{count} {unit}" + ("" if count == 1 else "s")


def ticks(text: str) -> str:
    """Write what stands between backticks as code."""
    parts = text.split("`")
    written = [
        Markup("<code>{}</code>").format(part) if index % 2 else escape(part)
        for index, part in enumerate(parts)
    ]
    return Markup("").join(written)


_CHINESE_UNITS = {
    "year": "年",
    "month": "个月",
    "day": "天",
    "hour": "小时",
    "minute": "分钟",
    "second": "秒",
}


def _read(instant: Instant) -> datetime:
    return from_rfc3339(instant) if isinstance(instant, str) else instant
