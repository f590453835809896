"""Put workflow together."""

from __future__ import annotations

from services.workflow_service.answering import endpoints as answering
from services.workflow_service.answering.service import Answers, TrackingLinks
from services.workflow_service.calendars.domain.book import CalendarBook
from services.workflow_service.calendars.endpoints import Surroundings
from services.workflow_service.calendars.endpoints import router as calendars_router
from services.workflow_service.calendars.schemas import WhatIfView
from services.workflow_service.cases.endpoints.acting import internal_router as words_router
from services.workflow_service.cases.endpoints.acting import router as cases_router
from services.workflow_service.cases.endpoints.calling import router as calling_router
from services.workflow_service.cases.endpoints.policies import router as policies_router
from services.workflow_service.cases.endpoints.time import router as time_router
from services.workflow_service.cases.schemas.policies import what_if_view
from services.workflow_service.cases.service.answer_links import AnswerLinks
from services.workflow_service.cases.service.answers import AnswerReader
from services.workflow_service.cases.service.desk import Desk, read_documents
from services.workflow_service.cases.service.sweeping import SWEPT, sweep_once
from services.workflow_service.cases.service.timing import BATCH, LANES, fire_due_timers
from services.workflow_service.cases.service.what_if import under_calendars
from services.workflow_service.clocks.jobs import TimerLoop
from services.workflow_service.console.endpoints import calls, cases, drafts
from services.workflow_service.console.service import ToneChecker
from services.workflow_service.handlers import SUBSCRIPTIONS
from services.workflow_service.jobs import RulesWatch
from services.workflow_service.organisation.endpoints import internal_router as people_router
from services.workflow_service.organisation.endpoints import router as organisation_router
from services.workflow_service.settings import WorkflowSettings
from shared.db.database import Database
from shared.http.app import create_app
from shared.http.client import ServiceClient
from shared.http.dead_letters import dead_letter_router
from shared.http.health import Health
from shared.kernel.settings import load
from shared.messaging import DeadLetters, Dispatcher, Messaging, Relay
from shared.service import Platform, ServiceUnit
from shared.web.clocks import CustomerClocks
from shared.web.pages import Pages
from shared.worker import Supervisor

NAME = "workflow"


def build(platform: Platform) -> ServiceUnit:
    """Build the service; raises ConfigurationError for a wrong setting or file."""
    desk = _desk(platform)
    links = AnswerLinks(desk.vault, platform.settings.base_url)
    answers = Answers(desk, links)
    supervisor = _loops(platform, desk)
    letters = DeadLetters(messaging=desk.messaging, subscriptions=SUBSCRIPTIONS, container=desk)
    pages = _pages(platform)
    intake, notification = (_client(platform, one) for one in ("intake", "notification"))
    spoken = AnswerReader(intake=intake, notification=notification)
    app = create_app(
        platform,
        name=NAME,
        title="Redress workflow",
        routers=[
            cases_router(desk),
            time_router(desk),
            calling_router(desk),
            calendars_router(desk.calendars, _around_calendars(desk)),
            policies_router(desk),
            cases.router(desk, pages, spoken),
            calls.router(desk, pages),
            drafts.router(desk, pages, ToneChecker(notification)),
            words_router(desk, links),
            answering.router(
                answers,
                _answering_pages(platform),
                TrackingLinks(intake),
                CustomerClocks(notification),
            ),
            answering.internal_router(answers),
            people_router(lambda: desk.rules.organisation),
            organisation_router(lambda: desk.rules.organisation, now=desk.clock.now),
            dead_letter_router(NAME, letters),
        ],
        health=Health(database=desk.database, bus=platform.bus, failing=lambda: supervisor.failing),
    )
    app.state.desk = desk
    return ServiceUnit(
        name=NAME,
        app=app,
        supervisor=supervisor,
        opening=(desk.open,),
        closing=(desk.database.close, spoken.close),
    )


def _around_calendars(desk: Desk) -> Surroundings:
    async def what_if(book: CalendarBook) -> WhatIfView:
        return what_if_view(await under_calendars(desk, book))

    return Surroundings(changed=desk.reload, what_if=what_if)


def _client(platform: Platform, service: str) -> ServiceClient:
    # One try: who looks at a case does not wait for what somebody said about it.
    url = platform.settings.service_url(service)
    return ServiceClient(url, lambda: platform.keys.service_credential, attempts=1)


def _pages(platform: Platform) -> Pages:
    return Pages(
        platform.settings,
        clock=platform.clock,
        templates=[cases.FOLDER / "templates"],
        locales=[cases.FOLDER / "locale"],
    )


def _answering_pages(platform: Platform) -> Pages:
    return Pages(
        platform.settings,
        clock=platform.clock,
        templates=[answering.FOLDER / "templates"],
        locales=[answering.FOLDER / "locale"],
    )


def _desk(platform: Platform) -> Desk:
    documents = read_documents(load(WorkflowSettings), platform.settings)
    database = Database.open(
        platform.settings.database_url(NAME), setting="REDRESS_WORKFLOW_DATABASE_URL"
    )
    return Desk(
        database=database,
        messaging=Messaging(database=database, clock=platform.clock),
        vault=platform.vault(NAME),
        clock=platform.clock,
        documents=documents,
    )


def _loops(platform: Platform, desk: Desk) -> Supervisor:
    supervisor = Supervisor()
    relay = Relay(messaging=desk.messaging, bus=platform.bus, service=NAME)
    dispatcher = Dispatcher(
        messaging=desk.messaging,
        bus=platform.bus,
        subscriptions=SUBSCRIPTIONS,
        container=desk,
        member=platform.replica,
    )
    timers = TimerLoop(lambda: fire_due_timers(desk), batch=BATCH, lanes=LANES)
    supervisor.add("workflow.relay", relay.run)
    supervisor.add("workflow.dispatcher", dispatcher.run)
    supervisor.add("workflow.timers", timers.run)
    supervisor.add("workflow.importer", desk.importer.run)
    supervisor.add("workflow.rules", RulesWatch(desk).run)
    sweeping = TimerLoop(lambda: sweep_once(desk), batch=SWEPT, sleep_seconds=1)
    supervisor.add("workflow.calendars", sweeping.run)
    return supervisor
