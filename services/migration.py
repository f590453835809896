"""Databases and topics brought up to date: what `migrate` does before services start."""

from __future__ import annotations

from services.composition import WITH_DATABASE, bring_up_to_date
from shared.kernel.settings import CommonSettings


async def migrate_all(settings: CommonSettings) -> None:
    """Upgrade every database and make every topic; raises ConfigurationError or Unavailable."""
    await bring_up_to_date(settings, WITH_DATABASE)
    if settings.kafka_bootstrap is None:
        return
    from shared.bus.kafka import KafkaBus

    bus = KafkaBus(settings.kafka_bootstrap)
    await bus.start()
    try:
        await bus.ensure_topics()
    finally:
        await bus.stop()
