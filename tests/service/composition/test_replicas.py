"""Replicas have names of their own."""

from __future__ import annotations

import pytest

from services import replicas
from services.replicas import only_replica
from shared.kernel.errors import ConfigurationError


async def test_a_replica_name_is_held_once(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replicas, "_PATIENCE_SECONDS", 0)

    async with only_replica(postgres_url, service="workflow", name="workflow-1"):
        with pytest.raises(ConfigurationError, match="REDRESS_REPLICA: workflow-1 runs already"):
            async with only_replica(postgres_url, service="workflow", name="workflow-1"):
                pytest.fail("two have one name")
        async with only_replica(postgres_url, service="workflow", name="workflow-2"):
            pass
    async with only_replica(postgres_url, service="workflow", name="workflow-1"):
        pass
