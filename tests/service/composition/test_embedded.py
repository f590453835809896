"""The embedded profile as a whole: what it does not start on."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from deploy.local.ports import free_port
from services.embedded import run_embedded
from shared.kernel.errors import ConfigurationError
from shared.kernel.settings import CommonSettings


async def test_settings_of_the_distributed_profile_stop_it_before_it_makes_anything(
    tmp_path: Path,
) -> None:
    settings = CommonSettings(
        home=tmp_path / "home", port=free_port(), kafka_bootstrap="kafka:9092"
    )

    with pytest.raises(ConfigurationError, match="REDRESS_KAFKA_BOOTSTRAP"):
        async with asyncio.timeout(10):
            await run_embedded(settings)

    assert not settings.home.exists()
