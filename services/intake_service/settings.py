"""Settings of intake."""

from __future__ import annotations

from pathlib import Path

import phonenumbers
from pydantic import Field, field_validator

from shared.kernel.settings import RedressSettings


class IntakeSettings(RedressSettings):
    """What intake reads phone numbers and complaints by."""

    phone_region: str = Field(
        default="CN", description="Whose phone numbers come without country code (ISO 3166-1)."
    )
    taxonomy: Path | None = Field(
        default=None, description="Taxonomy file of the company's own (YAML)."
    )

    repeat_days: int = Field(
        default=30,
        ge=1,
        le=3650,
        description="Days in which a customer's next complaint of a category is a repeat.",
    )

    @field_validator("phone_region")
    @classmethod
    def _is_a_region(cls, value: str) -> str:
        if value not in phonenumbers.SUPPORTED_REGIONS:
            raise ValueError(f"{value!r} is no region such as CN (ISO 3166-1)")
        return value
