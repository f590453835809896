"""Databases and topics brought up to date: what `migrate` does before services start."""

from __future__ import annotations

from services import WITH_DATABASE
from services.composition import bring_up_to_date
from services.home import locked, with_master_keys
from shared.kernel.settings import CommonSettings


async def migrate_all(settings: CommonSettings) -> None:
    """Upgrade every database and make every topic; raises ConfigurationError or Unavailable."""
    if settings.kafka_bootstrap is None:
        with locked(settings.home):
            # Keys first: a database without its key would be taken for one that has lost it.
            await bring_up_to_date(with_master_keys(settings), WITH_DATABASE)
        return
    await bring_up_to_date(settings, WITH_DATABASE)
    from shared.bus.kafka import KafkaBus

    bus = KafkaBus(settings.kafka_bootstrap)
    await bus.start()
    try:
        await bus.ensure_topics()
    finally:
        await bus.stop()
