"""The public holidays and made-up working days of countries, from the `holidays` package."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib.util import find_spec, module_from_spec

import holidays
from holidays.registry import EntityLoader

from services.workflow_service.calendars.domain.calendar import DayKind, SpecialDay

NONE = "none"
ANNOUNCED_YEAR_BY_YEAR = frozenset({"CN"})
"""Countries whose days off and made-up working days are announced each autumn for the next year.

The package gives a year that is not announced without its made-up days, and says nothing of it.
"""

_LOOKED_BACK_YEARS = 15


def _load_countries_one_by_one() -> None:
    """Put the package of countries in place without what it does first: to load all 250 of them.

    They take a quarter of a second of every start and eight megabytes, and a company has a few.
    """
    name = "holidays.countries"
    spec = None if name in sys.modules else find_spec(name)
    if spec is not None:
        sys.modules[name] = module_from_spec(spec)


_load_countries_one_by_one()


def is_known(country: str) -> bool:
    """Tell whether the days of a country, or of a part of it, are known."""
    if country == NONE:
        return True
    land, _, part = country.partition("-")
    # Not `list_supported_countries`: it loads them all.
    if land not in EntityLoader.get_country_codes(include_aliases=False):
        return False
    return not part or part in getattr(holidays, land).subdivisions


@cache
def public_days(country: str, year: int) -> Mapping[date, SpecialDay]:
    """Return the days of a year on which a country rests or, at a weekend, works."""
    if country == NONE:
        return {}
    land, _, part = country.partition("-")
    found = holidays.country_holidays(
        land, subdiv=part or None, years=year, language=_language_of(land)
    )
    special = {day: SpecialDay(DayKind.HOLIDAY, _name(name)) for day, name in found.items()}
    made_up = getattr(found, "weekend_workdays", ())
    special |= {day: SpecialDay(DayKind.MADE_UP) for day in made_up if day.year == year}
    return special


@cache
def official_until(country: str, this_year: int) -> int | None:
    """Return the last year whose days are announced; None where they follow from rules."""
    land = country.partition("-")[0]
    if land not in ANNOUNCED_YEAR_BY_YEAR:
        return None
    years = range(this_year + 2, this_year - _LOOKED_BACK_YEARS, -1)
    return next((year for year in years if _is_announced(country, year)), this_year - 1)


@cache
def _language_of(land: str) -> str | None:
    """Return the country's own language, so that names do not depend on this machine's."""
    language: str | None = getattr(holidays.country_holidays(land), "default_language", None)
    return language


def _is_announced(country: str, year: int) -> bool:
    return any(day.kind is DayKind.MADE_UP for day in public_days(country, year).values())


def _name(name: str) -> str:
    # `休息日（2026-02-14日起取代）` and the like: the date is a machine's remark.
    return name.partition("（")[0].partition(" (")[0]
