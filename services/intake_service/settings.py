"""Settings of intake."""

from __future__ import annotations

from pathlib import Path

import phonenumbers
from pydantic import field_validator

from shared.kernel.settings import RedressSettings


class IntakeSettings(RedressSettings):
    """`REDRESS_PHONE_REGION`: whose numbers come without country code (ISO 3166-1).

    `REDRESS_TAXONOMY`: the company's own taxonomy file; without it the one of the project.
    """

    phone_region: str = "CN"
    taxonomy: Path | None = None

    @field_validator("phone_region")
    @classmethod
    def _is_a_region(cls, value: str) -> str:
        if value not in phonenumbers.SUPPORTED_REGIONS:
            raise ValueError(f"{value!r} is no region such as CN (ISO 3166-1)")
        return value
