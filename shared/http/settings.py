"""Settings of the HTTP side."""

from __future__ import annotations

from pydantic import Field

from shared.kernel.settings import RedressSettings


class HttpSettings(RedressSettings):
    """Rate limits per API key, and sessions; keyless callers on an open loopback have none."""

    rate_limit_per_second: float = Field(
        default=100.0,
        gt=0,
        le=1_000_000,
        description="Requests a second that one API key may make.",
    )
    rate_limit_burst: int = Field(
        default=300, ge=1, le=1_000_000, description="Requests that one API key may make at once."
    )
    session_hours: int = Field(
        default=12, ge=1, le=720, description="Hours until a browser must sign in again."
    )
