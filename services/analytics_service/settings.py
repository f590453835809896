"""What analytics can be told by `REDRESS_ANALYTICS_…`."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.kernel.settings import RedressSettings


class AnalyticsSettings(RedressSettings):
    """Sizes of the store and pace of the folding; `REDRESS_ANALYTICS_FILE` is a common setting.

    The memory is what DuckDB may take at most, for ten million complaints; a thousand need a tenth
    of it. A machine of its own is better used with a gigabyte and all cores.
    """

    model_config = SettingsConfigDict(env_prefix="REDRESS_ANALYTICS_", extra="ignore", frozen=True)

    memory_mb: int = Field(
        default=192, ge=48, le=1_048_576, description="MiB that DuckDB takes at most."
    )
    threads: int = Field(default=2, ge=1, le=256, description="Threads of one query.")
    readers: int = Field(default=4, ge=1, le=64, description="Queries at the same time.")
    batch_size: int = Field(
        default=5000, ge=1, le=1_000_000, description="Events folded in one transaction."
    )
    pause_ms: int = Field(
        default=100, ge=0, le=5000, description="Pause between batches, so that they fill."
    )
    copy_hours: int = Field(
        default=24,
        ge=0,
        le=8760,
        description="Age at which the copy that a broken file is put back from is taken anew; "
        "0: there is none.",
    )
