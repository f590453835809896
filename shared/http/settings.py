"""Settings of the HTTP side."""

from __future__ import annotations

from pydantic import Field

from shared.kernel.settings import RedressSettings


class HttpSettings(RedressSettings):
    """Rate limits per API key; keyless callers on an open loopback have none."""

    rate_limit_per_second: float = Field(default=100.0, gt=0)
    rate_limit_burst: int = Field(default=300, ge=1)
    session_hours: int = Field(default=12, ge=1, le=720)
