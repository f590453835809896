"""What people read for the codes in the facts."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel

Value = str | int | None


class Words(BaseModel):
    """One label in both languages."""

    zh: str
    en: str


class LabelFile(BaseModel):
    """The catalogue of labels: for each kind of code its words."""

    categories: dict[str, Words]
    channels: dict[str, Words]
    severities: dict[str, Words]
    tiers: dict[str, Words]
    states: dict[str, Words]
    departments: dict[str, Words]
    regions: dict[str, Words]
    numbered_regions: dict[str, Words] = {}


_WEEKDAYS = {
    "zh": ("周一", "周二", "周三", "周四", "周五", "周六", "周日"),
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
}


class Labels:
    """The labels of one language; a code that is not known is shown as it is."""

    def __init__(self, file: LabelFile, *, chinese: bool) -> None:
        self._language = "zh" if chinese else "en"
        self._missing = "未填" if chinese else "not given"
        self._words: Mapping[str, Mapping[str, Words]] = {
            "category": file.categories,
            "channel": file.channels,
            "severity": file.severities,
            "tier": file.tiers,
            "state": file.states,
            "department": file.departments,
            "region": file.regions,
        }
        self._numbered = file.numbered_regions

    def value(self, dimension: str, value: Value) -> str:
        """Return what to show for a value: `logistics.short` is `Delivery: Short`."""
        if value is None:
            return self._missing
        if dimension == "hour_of_week":
            day, hour = divmod(int(value), 24)
            return f"{_WEEKDAYS[self._language][day]} {hour:02d}:00"
        code = str(value)
        if dimension != "category":
            return self._word(dimension, code) or self._numbered_region(dimension, code) or code
        own = self._word(dimension, code)
        if own is None:
            return code
        top = self._word(dimension, code.partition(".")[0]) if "." in code else None
        return (
            f"{top}：{own}" if top and self._language == "zh" else f"{top}: {own}" if top else own
        )

    def _word(self, dimension: str, code: str) -> str | None:
        words = self._words.get(dimension, {}).get(code)
        return None if words is None else self._own(words)

    def _numbered_region(self, dimension: str, code: str) -> str | None:
        if dimension != "region":
            return None
        found = (
            self._own(words).format(code.removeprefix(prefix))
            for prefix, words in self._numbered.items()
            if code.startswith(prefix)
        )
        return next(found, None)

    def _own(self, words: Words) -> str:
        return words.zh if self._language == "zh" else words.en
