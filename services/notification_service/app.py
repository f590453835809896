"""Puts notification together: gateways, planner, sender, paths, background loops."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from fastapi import APIRouter

from services.notification_service.feed import endpoints as feed_endpoints
from services.notification_service.feed.service import Feed
from services.notification_service.gateways.service import (
    Gateways,
    Surroundings,
    open_gateways,
    sms_secret,
)
from services.notification_service.handlers import SUBSCRIPTIONS, Listener
from services.notification_service.messages import endpoints
from services.notification_service.messages.domain.home import Home
from services.notification_service.messages.domain.judging import Manners
from services.notification_service.messages.domain.words import Kind
from services.notification_service.messages.jobs import Sender, SenderTools
from services.notification_service.messages.repository.intents import knows_customer
from services.notification_service.messages.repository.routing import routing_table
from services.notification_service.messages.repository.standing import reconsider_customer
from services.notification_service.messages.service.bundling import Digests, Doubles
from services.notification_service.messages.service.deciding import Operators
from services.notification_service.messages.service.judging import Judge
from services.notification_service.messages.service.planning import Planner
from services.notification_service.messages.service.preparing import Preparer
from services.notification_service.messages.service.reading import Archive
from services.notification_service.messages.service.rehearsing import Rehearsal
from services.notification_service.notices import endpoints as notice_endpoints
from services.notification_service.notices.jobs import NoticeWatch
from services.notification_service.notices.service import Notices
from services.notification_service.preferences import endpoints as preference_endpoints
from services.notification_service.preferences.domain.choices import QuietHours
from services.notification_service.preferences.service import OwnPreferences, PreferenceBook
from services.notification_service.receipts import endpoints as receipt_endpoints
from services.notification_service.receipts.jobs import ReceiptClerk
from services.notification_service.receipts.service import ReceiptDesk
from services.notification_service.recipients.service import Directory
from services.notification_service.scripts import endpoints as script_endpoints
from services.notification_service.scripts.service import Secretary
from services.notification_service.settings import NotificationSettings, WebhookSettings
from services.notification_service.surveys.endpoints import machines, page
from services.notification_service.surveys.service import Links, SurveyBook
from services.notification_service.templates.endpoints import editing
from services.notification_service.templates.endpoints import machines as template_endpoints
from services.notification_service.templates.endpoints.machines import Room
from services.notification_service.templates.service import Templates
from services.notification_service.templates.service.editing import TemplateDesk
from services.notification_service.templates.service.mail_html import MailPage
from services.notification_service.templates.service.speaking import Wordings
from services.notification_service.templates.service.trying import Trials
from services.notification_service.tone import endpoints as tone_endpoints
from services.notification_service.webhooks.endpoints import deliveries as delivery_endpoints
from services.notification_service.webhooks.endpoints import subscriptions as webhook_endpoints
from services.notification_service.webhooks.jobs.assembly import Webhooks, assemble
from services.notification_service.webhooks.service.sealing import AnswerSeal
from shared.db.database import Database
from shared.http.access import Scope
from shared.http.app import create_app
from shared.http.client import ServiceClient
from shared.http.dead_letters import dead_letter_router
from shared.http.health import Health
from shared.kernel.settings import CommonSettings, load
from shared.kernel.vault import Vault
from shared.messaging import DeadLetters, Dispatcher, Messaging, Relay, UnitOfWork
from shared.service import Platform, ServiceUnit
from shared.web.pages import Pages
from shared.web.zones import calling_code_of
from shared.worker import Supervisor

NAME = "notification"
_MESSAGES = Path(__file__).parent / "messages"
_SURVEYS = Path(__file__).parent / "surveys"
_PREFERENCES = Path(__file__).parent / "preferences"
_WITH_PAGES = (_MESSAGES, _SURVEYS, _PREFERENCES, editing.FOLDER)


@dataclass(frozen=True, slots=True)
class _Parts:
    messaging: Messaging
    vault: Vault
    gateways: Gateways
    directory: Directory
    sender: Sender
    planner: Planner
    feed: Feed
    room: Room
    webhooks: Webhooks
    desk: ReceiptDesk
    clerk: ReceiptClerk
    notices: Notices


def build(platform: Platform) -> ServiceUnit:
    """Build the service; raises ConfigurationError naming a setting that is wrong."""
    parts = _build_parts(platform)
    supervisor = Supervisor()
    health = Health(
        database=parts.messaging.database, bus=platform.bus, failing=lambda: supervisor.failing
    )
    app = create_app(
        platform,
        name=NAME,
        title="Redress notification",
        routers=_routers(platform, parts),
        health=health,
    )
    _add_loops(supervisor, platform, parts)
    closing = (
        parts.messaging.database.close,
        parts.gateways.close,
        parts.directory.close,
        parts.webhooks.close,
    )
    return ServiceUnit(NAME, app, supervisor, closing=closing)


def _build_parts(platform: Platform) -> _Parts:
    settings, common = load(NotificationSettings), platform.settings
    url = common.database_url(NAME)
    database = Database.open(url, setting="REDRESS_NOTIFICATION_DATABASE_URL")
    messaging = Messaging(database=database, clock=platform.clock)
    vault = platform.vault(NAME)
    around = Surroundings(platform.clock, frozenset(Kind), _public(common))
    gateways = open_gateways(settings, platform.home, around)
    directory = Directory(
        intake=_client(platform, "intake"),
        workflow=_client(platform, "workflow"),
        clock=platform.clock,
    )
    routing = routing_table(settings.routing_file)
    templates = Templates(zone=common.zone, company=common.company, staff_url=common.staff_base_url)
    wordings = Wordings(templates, database=database, clock=platform.clock)
    preparer = Preparer(
        directory=directory,
        routing=routing,
        templates=wordings,
        home=Home(common.default_locale, calling_code_of(common.zone)),
        links=_links(platform).of,
        survey_needs_consent=settings.survey_consent == "required",
        room_locales={
            name: room.locale for name, room in gateways.rooms.items() if room.locale is not None
        },
    )
    judge = Judge(database, routing=routing, manners=_manners(settings, common))
    tools = SenderTools(
        messaging,
        judge,
        preparer,
        gateways,
        vault,
        platform.replica,
        doubles=Doubles(database, vault=vault, routing=routing),
        digests=Digests(page=MailPage(common.company), base_url=common.staff_base_url),
        longest_pause=timedelta(seconds=settings.message_longest_retry_seconds),
    )
    sender = Sender(tools)
    planner = Planner(
        vault=vault,
        routing=routing,
        wake=sender.wake,
        digest_every=timedelta(minutes=settings.staff_digest_minutes),
        proof_after=_proof_after(),
        rooms={name: room.kinds for name, room in gateways.rooms.items()},
    )
    desk = ReceiptDesk(messaging, wake_sender=sender.wake, proof_after=_proof_after())
    clerk = ReceiptClerk(desk)
    room = _room(templates, wordings, messaging, gateways, directory)
    feed = Feed(platform.bus)
    webhooks = assemble(
        messaging, platform.bus, vault, replica=platform.replica, settings=load(WebhookSettings)
    )
    notices = Notices(messaging, wake_sender=sender.wake)
    return _Parts(
        *(messaging, vault, gateways, directory, sender, planner, feed, room),
        *(webhooks, desk, clerk, notices),
    )


def _room(
    templates: Templates,
    wordings: Wordings,
    messaging: Messaging,
    gateways: Gateways,
    directory: Directory,
) -> Room:
    database, clock = messaging.database, messaging.clock
    desk = TemplateDesk(templates, wordings, database=database, clock=clock)
    trials = Trials(
        desk,
        templates,
        gateways=gateways,
        scene_of=Rehearsal(directory=directory, database=database).scene,
        database=database,
    )
    return Room(desk, trials, messaging)


def _manners(settings: NotificationSettings, common: CommonSettings) -> Manners:
    window = settings.quiet_window
    return Manners(
        zone=common.zone,
        quiet_hours=QuietHours.model_validate({"from": window[0], "to": window[1]})
        if window
        else None,
        per_hour=settings.customer_messages_per_hour,
        per_day=settings.customer_messages_per_day,
    )


def _proof_after() -> timedelta:
    return timedelta(hours=load(NotificationSettings).proof_hours)


def _public(common: CommonSettings) -> str | None:
    """Return where the world reaches us, None where only this machine does."""
    return common.base_url if common.public_url else None


def _trust(platform: Platform) -> receipt_endpoints.Trust:
    settings = load(NotificationSettings)
    return receipt_endpoints.Trust(
        clock=platform.clock,
        token=settings.receipt_token,
        networks=settings.receipt_networks,
        twilio_token=settings.twilio_auth_token,
        http_secret=sms_secret(settings),
        public_url=_public(platform.settings),
    )


def _links(platform: Platform) -> Links:
    common = platform.settings
    dashboard_url = common.staff_url or common.public_url or common.service_url("analytics")
    return Links(
        platform.vault(NAME),
        common.base_url,
        common.staff_base_url,
        dashboard_url=dashboard_url.rstrip("/"),
        zone=common.zone,
    )


def _surveys(platform: Platform, parts: _Parts) -> SurveyBook:
    return SurveyBook(
        parts.messaging,
        vault=parts.vault,
        links=_links(platform),
        valid=timedelta(days=load(NotificationSettings).survey_days),
    )


def _listener(platform: Platform, parts: _Parts) -> Listener:
    return Listener(parts.planner, _surveys(platform, parts))


def _client(platform: Platform, service: str) -> ServiceClient:
    # One quick second try: while an owner is away the messages wait in the queue, not in here.
    url = platform.settings.service_url(service)
    return ServiceClient(url, lambda: platform.keys.service_credential, attempts=2)


def _secretary(platform: Platform, directory: Directory) -> Secretary:
    return Secretary(
        directory,
        zone=platform.settings.zone,
        company=platform.settings.company,
        default_locale=platform.settings.default_locale,
    )


def _routers(platform: Platform, parts: _Parts) -> list[APIRouter]:
    surveys = _surveys(platform, parts)
    archive = Archive(database=parts.messaging.database, vault=parts.vault)
    pages = Pages(
        platform.settings,
        clock=platform.clock,
        templates=[room / "pages" for room in _WITH_PAGES],
        locales=[room / "locale" for room in _WITH_PAGES],
    )
    book = _preferences(parts)
    # With a gateway real people are written to: what they were told is not for every reader.
    scope = Scope.ADMIN if parts.gateways.configured else Scope.NOTIFICATIONS_READ
    letters = DeadLetters(
        messaging=parts.messaging, subscriptions=SUBSCRIPTIONS, container=_listener(platform, parts)
    )
    operators = Operators(parts.messaging, wake=parts.sender.wake, proof_after=_proof_after())
    return [
        endpoints.router(archive, operators),
        receipt_endpoints.router(
            receipt_endpoints.Counter(parts.desk, parts.clerk, _trust(platform))
        ),
        notice_endpoints.router(parts.notices),
        template_endpoints.router(parts.room),
        editing.pages_router(parts.room, pages),
        preference_endpoints.router(book),
        preference_endpoints.internal_router(book),
        preference_endpoints.own_router(OwnPreferences(book, parts.directory), pages),
        endpoints.pages_router(archive, pages, scope=scope),
        machines.router(surveys),
        machines.internal_router(surveys),
        page.router(surveys, pages, parts.directory),
        feed_endpoints.router(parts.feed),
        tone_endpoints.router(),
        tone_endpoints.internal_router(),
        webhook_endpoints.router(parts.webhooks.subscribers, AnswerSeal(parts.vault)),
        delivery_endpoints.router(parts.webhooks.deliveries),
        script_endpoints.router(_secretary(platform, parts.directory)),
        dead_letter_router(NAME, letters),
    ]


def _preferences(parts: _Parts) -> PreferenceBook:
    async def changed(work: UnitOfWork, customer_id: str) -> None:
        await reconsider_customer(work.connection, customer_id, now=work.now)
        work.after_commit(parts.sender.wake)

    return PreferenceBook(parts.messaging, knows=knows_customer, changed=changed)


def _add_loops(supervisor: Supervisor, platform: Platform, parts: _Parts) -> None:
    dispatcher = Dispatcher(
        messaging=parts.messaging,
        bus=platform.bus,
        subscriptions=SUBSCRIPTIONS,
        container=_listener(platform, parts),
        member=platform.replica,
    )
    relay = Relay(messaging=parts.messaging, bus=platform.bus, service=NAME)
    supervisor.add("notification dispatcher", dispatcher.run)
    supervisor.add("notification sender", parts.sender.send)
    supervisor.add("notification results", parts.sender.settle)
    supervisor.add("notification leases", parts.sender.keep)
    supervisor.add("notification relay", relay.run)
    supervisor.add("receipts", parts.clerk.run)
    supervisor.add("proof of notice", NoticeWatch(parts.notices).run)
    supervisor.add("feed readers", parts.feed.tidy)
    parts.webhooks.add_loops(supervisor)
