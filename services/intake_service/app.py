"""Puts intake together: database, keys, taxonomy, use cases, paths, loops."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from fastapi import APIRouter

from services.intake_service.channels import endpoints as importing
from services.intake_service.channels.service import Imports, ImportTools
from services.intake_service.complaints.endpoints import (
    amending,
    internal,
    reading,
    recording,
    tracking,
)
from services.intake_service.complaints.endpoints.amending import AmendingTools
from services.intake_service.complaints.endpoints.bodies import Rules
from services.intake_service.complaints.schemas.answer import Links
from services.intake_service.complaints.service.elsewhere import Elsewhere
from services.intake_service.complaints.service.reading import Reader
from services.intake_service.complaints.service.recording import Recorder, RecordingTools
from services.intake_service.complaints.service.tracking import Tracker
from services.intake_service.customers.service import KeyRing
from services.intake_service.handlers import SUBSCRIPTIONS
from services.intake_service.jobs import IdempotencyPurge
from services.intake_service.settings import IntakeSettings
from services.intake_service.triage.service import Triage
from shared.db.database import Database
from shared.http.app import create_app
from shared.http.client import ServiceClient
from shared.http.dead_letters import dead_letter_router
from shared.http.health import Health
from shared.kernel.settings import load
from shared.messaging import DeadLetters, Dispatcher, Messaging, Relay
from shared.service import Platform, ServiceUnit
from shared.web.pages import Pages
from shared.worker import Supervisor

_COMPLAINTS = Path(__file__).parent / "complaints"
_NOT_TO_TAKE_COMPLAINTS = ("log", "worker intake dispatcher")
"""With Kafka away complaints wait in the outbox: a balancer is not to turn them away. Embedded,
the log is a file beside the databases, and one that fails is a fault."""


@dataclass(frozen=True, slots=True)
class Intake:
    """The parts of the service."""

    messaging: Messaging
    keys: KeyRing
    triage: Triage
    links: Links
    rules: Rules
    recorder: Recorder
    reader: Reader
    tracker: Tracker
    pages: Pages
    imports: Imports
    elsewhere: Elsewhere


def build(platform: Platform) -> ServiceUnit:
    """Build the service. Distributed, its relay is a process of its own: `build_relay`."""
    parts = build_parts(platform, load(IntakeSettings))
    supervisor = Supervisor()
    _add_loops(supervisor, parts, platform)
    database = parts.messaging.database
    app = create_app(
        platform,
        name="intake",
        title="Redress intake",
        routers=_routers(parts),
        health=Health(
            database=database,
            bus=platform.bus,
            failing=lambda: supervisor.failing,
            does_without=_NOT_TO_TAKE_COMPLAINTS if platform.profile == "distributed" else (),
        ),
    )
    app.state.intake = parts
    return ServiceUnit(
        "intake",
        app,
        supervisor,
        opening=[parts.imports.mark_interrupted],
        closing=[database.close, parts.recorder.close, parts.elsewhere.close],
    )


def build_relay(platform: Platform) -> ServiceUnit:
    """Build the process that brings intake's outbox to the log."""
    messaging = _messaging(platform)
    supervisor = Supervisor()
    relay = Relay(messaging=messaging, bus=platform.bus, service="intake")
    supervisor.add("intake relay", relay.run)
    app = create_app(
        platform,
        name="intake-relay",
        title="Redress intake relay",
        routers=[],
        health=Health(
            database=messaging.database, bus=platform.bus, failing=lambda: supervisor.failing
        ),
    )
    return ServiceUnit("intake-relay", app, supervisor, closing=[messaging.database.close])


def build_parts(platform: Platform, settings: IntakeSettings) -> Intake:
    """Build the parts from the settings."""
    messaging = _messaging(platform)
    keys = KeyRing(platform.vault("intake"))
    triage = Triage.load(settings.taxonomy)
    links = Links(platform.settings.base_url)
    rules = Rules(
        clock=platform.clock, phone_region=settings.phone_region, taxonomy=triage.taxonomy
    )
    repeats_within = timedelta(days=settings.repeat_days)
    recorder = Recorder(RecordingTools(messaging, keys, triage, links, repeats_within))
    imports = Imports(
        ImportTools(
            database=messaging.database,
            recorder=recorder,
            classifier=triage,
            vault=platform.vault("intake"),
            master_key=platform.settings.master_key("intake") or "",
            clock=platform.clock,
            replica=platform.replica,
        ),
        triage.taxonomy,
    )
    reader = Reader(messaging, keys)
    elsewhere = Elsewhere(
        workflow=service_client(platform, "workflow"),
        notification=service_client(platform, "notification"),
    )
    pages = Pages(
        platform.settings,
        clock=platform.clock,
        templates=[_COMPLAINTS / "templates"],
        locales=[_COMPLAINTS / "locale"],
    )
    return Intake(
        messaging=messaging,
        keys=keys,
        triage=triage,
        links=links,
        rules=rules,
        recorder=recorder,
        reader=reader,
        tracker=Tracker(messaging, reader, keys, triage, elsewhere),
        pages=pages,
        imports=imports,
        elsewhere=elsewhere,
    )


def service_client(platform: Platform, service: str) -> ServiceClient:
    """Return the way to another service."""
    url = platform.settings.service_url(service)
    return ServiceClient(url, lambda: platform.keys.service_credential, attempts=2)


def _messaging(platform: Platform) -> Messaging:
    database = Database.open(
        platform.settings.database_url("intake"), setting="REDRESS_INTAKE_DATABASE_URL"
    )
    return Messaging(database=database, clock=platform.clock)


def _routers(parts: Intake) -> list[APIRouter]:
    tools = AmendingTools(
        parts.messaging, parts.reader, parts.keys, parts.triage, parts.rules, parts.links
    )
    letters = DeadLetters(messaging=parts.messaging, subscriptions=SUBSCRIPTIONS, container=None)
    return [
        recording.router(parts.recorder, parts.reader, rules=parts.rules, links=parts.links),
        reading.router(parts.reader, links=parts.links),
        amending.additions_router(tools),
        amending.classification_router(tools),
        importing.router(parts.imports, base_url=parts.links.base_url),
        internal.router(parts.reader, links=parts.links),
        tracking.router(parts.tracker, parts.pages, label=parts.triage.taxonomy.label),
        dead_letter_router("intake", letters),
    ]


def _add_loops(supervisor: Supervisor, parts: Intake, platform: Platform) -> None:
    messaging = parts.messaging
    dispatcher = Dispatcher(
        messaging=messaging,
        bus=platform.bus,
        subscriptions=SUBSCRIPTIONS,
        container=None,
        member=platform.replica,
    )
    supervisor.add("intake dispatcher", dispatcher.run)
    supervisor.add("intake idempotency purge", IdempotencyPurge(messaging).run)
    if platform.profile == "embedded":
        relay = Relay(messaging=messaging, bus=platform.bus, service="intake")
        supervisor.add("intake relay", relay.run)
