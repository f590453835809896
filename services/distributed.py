"""One service in a process of its own, on PostgreSQL and Kafka."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, nullcontext

from services import WITH_DATABASE
from services.composition import (
    build_unit,
    listen,
    load_code,
    require_up_to_date,
    running,
    serve_http,
)
from services.configuration import check_settings
from services.replicas import only_replica
from shared.bus.kafka import KafkaBus
from shared.bus.kafka_watch import KafkaWatch
from shared.http.keys import KeyStore
from shared.kernel import logging
from shared.kernel.clock import SystemClock
from shared.kernel.errors import ConfigurationError, Unavailable
from shared.kernel.settings import CommonSettings
from shared.service import Platform
from shared.web import site

log = logging.get(__name__)

_STARTS_WITHOUT_KAFKA = "intake"


async def serve(process: str, settings: CommonSettings) -> None:
    """Run one of `composition.PROCESSES` until it is told to stop; raises ConfigurationError."""
    service = process.partition("-")[0]
    check_settings([process])
    platform = make_platform(process, settings)
    name: AbstractAsyncContextManager[None]
    if service in WITH_DATABASE:
        await require_up_to_date(settings, [service])
        name = only_replica(settings.database_url(service), service=service, name=platform.replica)
    else:
        name = nullcontext()
    async with name:
        await _serve(process, platform)


async def _serve(process: str, platform: Platform) -> None:
    settings = platform.settings
    load_code([process])
    unit = build_unit(process, platform)
    site.install(unit.app, platform)
    unit.supervisor.add("kafka watch", KafkaWatch(_kafka_of(settings)).run)
    bound = listen(settings, platform)
    try:
        await _connect(process, platform)
        async with running([unit]):
            log.info("service.ready", service=process, url=settings.own_url)
            await serve_http(unit.app, bound, alone=True)
    finally:
        await platform.bus.stop()


async def _connect(process: str, platform: Platform) -> None:
    """Connect to Kafka; raises Unavailable, but for intake, which takes complaints without it.

    Its dispatcher, the one part of it that listens, connects by itself and tries until it can.
    """
    try:
        await platform.bus.start()
    except Unavailable:
        if process != _STARTS_WITHOUT_KAFKA:
            raise


def _kafka_of(settings: CommonSettings) -> str:
    if settings.kafka_bootstrap is None:
        raise ConfigurationError("REDRESS_KAFKA_BOOTSTRAP", "is missing: host:port of Kafka")
    return settings.kafka_bootstrap


def make_platform(process: str, settings: CommonSettings) -> Platform:
    """Build the platform of a process; raises ConfigurationError where Kafka is not set."""
    kafka = _kafka_of(settings)
    settings.home.mkdir(parents=True, exist_ok=True)
    return Platform(
        profile="distributed",
        settings=settings,
        home=settings.home,
        clock=SystemClock(),
        bus=KafkaBus(kafka),
        keys=KeyStore(settings.keys_path),
        replica=f"{process}-{settings.replica}",
    )
