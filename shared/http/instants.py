"""An instant in a request: RFC 3339 with its offset, and nothing that only could be one.

Pydantic alone also takes numbers and digits for seconds since 1970, with which whoever forgets a
zero, or sends milliseconds, names another year and is not told.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BeforeValidator
from pydantic_core import PydanticCustomError

_DATE_AND_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d")


def _written(given: object) -> object:
    if isinstance(given, datetime):
        return given
    try:
        if isinstance(given, str) and _DATE_AND_TIME.match(given):
            # Read here: models that are strict take no text that was looked at before.
            return datetime.fromisoformat(given.upper())
    except ValueError:
        pass
    raise PydanticCustomError(
        "invalid_datetime", "Write a time as 2026-11-18T18:30:00+08:00 (RFC 3339)."
    )


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise PydanticCustomError(
            "invalid_datetime", "This lies outside of the years 1 to 9999 in UTC."
        ) from None


Instant = Annotated[AwareDatetime, BeforeValidator(_written), AfterValidator(_in_utc)]
"""A time with its offset, as UTC."""
