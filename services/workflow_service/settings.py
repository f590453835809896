"""Settings of workflow: its files, and the hours in which business time passes."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import Field, field_validator

from shared.kernel.settings import RedressSettings

_WINDOW = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")


class WorkflowSettings(RedressSettings):
    """The files of the company, and what its calendar is made of at first.

    A working day is Monday to Friday, and a made-up one, less the country's public holidays
    (`none`: no holidays); its hours are local to REDRESS_TIMEZONE, several windows divided by
    commas. Another setting makes a new version of the calendar, until somebody loads one.
    """

    policy_file: Path | None = Field(
        default=None, description="Policy of the company's own (YAML): targets of the clocks."
    )
    organisation_file: Path | None = Field(
        default=None, description="Departments, people and routing of the company's own (YAML)."
    )
    call_script_file: Path | None = Field(
        default=None, description="Script of call-backs of the company's own (YAML)."
    )
    country: str = Field(
        default="CN",
        pattern=r"^([A-Z]{2}(-[A-Z0-9]{1,3})?|none)$",
        description="Whose public holidays are no working days (ISO 3166), or `none`.",
    )
    working_hours: str = Field(
        default="09:00-18:00",
        description="Windows of a working day, local time: `09:00-12:00,13:30-18:00`.",
    )

    @field_validator("working_hours")
    @classmethod
    def _readable(cls, value: str) -> str:
        last = 0
        for opens, closes in windows_of(value):
            if not last <= opens < closes <= 24 * 60:
                raise ValueError("windows must follow each other and end after they begin")
            last = closes
        return value

    @property
    def windows(self) -> tuple[tuple[int, int], ...]:
        """The working windows of a day in minutes after midnight."""
        return windows_of(self.working_hours)


def windows_of(text: str) -> tuple[tuple[int, int], ...]:
    """Read `09:00-12:00,13:30-18:00` into minutes after midnight; raises ValueError."""
    windows = []
    for part in text.split(","):
        found = _WINDOW.fullmatch(part.strip())
        if found is None:
            raise ValueError(f"{part.strip()!r} is no window, such as 09:00-18:00")
        hours = [int(number) for number in found.groups()]
        windows.append((hours[0] * 60 + hours[1], hours[2] * 60 + hours[3]))
    return tuple(windows)
