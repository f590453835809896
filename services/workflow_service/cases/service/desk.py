"""What every use case works with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from services.workflow_service.calendars.domain.calendar import Window
from services.workflow_service.calendars.domain.document import CalendarDocument
from services.workflow_service.calendars.domain.statutory import STATUTORY
from services.workflow_service.calendars.repository.public_days import is_known
from services.workflow_service.calendars.service import COMPANY, Calendars
from services.workflow_service.cases.domain.call_script import CallScript
from services.workflow_service.cases.domain.case import Case
from services.workflow_service.cases.domain.draft import Change
from services.workflow_service.cases.domain.rules import Rules
from services.workflow_service.cases.repository.calling import read_script
from services.workflow_service.cases.service.loads import Loads
from services.workflow_service.cases.service.taking_over import Importer
from services.workflow_service.clocks.repository import (
    POLICY_SETTING,
    PRODUCT,
    read_packs,
    read_policy,
)
from services.workflow_service.clocks.service import FirstPolicy, Policies
from services.workflow_service.organisation.domain.people import Organisation
from services.workflow_service.organisation.repository import read_organisation
from services.workflow_service.settings import WorkflowSettings
from shared.db.database import Database
from shared.kernel.clock import Clock
from shared.kernel.errors import ConfigurationError
from shared.kernel.settings import CommonSettings
from shared.kernel.vault import Vault
from shared.messaging import Messaging, UnitOfWork


@dataclass(frozen=True, slots=True)
class Documents:
    """The files that rules are made of, read and checked."""

    policy: FirstPolicy
    organisation: Organisation
    calendar: CalendarDocument
    zone: ZoneInfo
    script: CallScript


@dataclass(slots=True)
class Desk:
    """The service's container: database, outbox, master key, clock, calendars, rules.

    `rules` are a snapshot that is replaced when a policy, a calendar or the organisation changes.
    """

    database: Database
    messaging: Messaging
    vault: Vault
    clock: Clock
    documents: Documents
    calendars: Calendars = field(init=False)
    policies: Policies = field(init=False)
    rules: Rules = field(init=False)
    loads: Loads = field(default_factory=Loads)
    importer: Importer = field(init=False)

    def __post_init__(self) -> None:
        seeds = {COMPANY: self.documents.calendar, **STATUTORY}
        self.calendars = Calendars(self.database, self.clock, seeds)
        self.policies = Policies(
            self.database,
            self.clock,
            self.documents.policy,
            calendars=self.calendars.names,
        )
        self.rules = self._rules()
        self.importer = Importer(self.database.dialect)

    @property
    def zone(self) -> ZoneInfo:
        """The company's time zone, in which explanations tell the time."""
        return self.documents.zone

    async def open(self) -> None:
        """Make the calendar, load the policies; raises ConfigurationError for one that is wrong."""
        await self.calendars.open()
        await self.policies.open()
        self.rules = self._rules()

    async def reload(self) -> None:
        """Take in what was changed, here or in another replica."""
        async with self.database.read() as connection:
            await self.refresh(connection)

    async def ensure_known(self, connection: AsyncConnection, cases: Iterable[Case]) -> None:
        """Take in policies and calendars that cases name and this replica has not seen yet."""
        if not all(self.rules.knows(case) for case in cases):
            await self.refresh(connection)

    async def ensure_loaded(self, cases: Iterable[Case]) -> None:
        """Take in what cases name, where nothing is being changed."""
        async with self.database.read() as connection:
            await self.ensure_known(connection, cases)

    async def refresh(self, connection: AsyncConnection) -> None:
        """Take in policies and calendars that are new."""
        calendars = await self.calendars.refresh(connection)
        policies = await self.policies.refresh(connection)
        # What was changed here has been loaded already: the rules are compared, not the loading.
        stale = self.rules.calendars is not self.calendars.book
        if calendars or policies or stale or self.rules.policy != self.policies.current:
            self.rules = self._rules()

    async def rules_with_load(self, uow: UnitOfWork) -> tuple[Rules, Counter[str]]:
        """Return the rules with the load of everybody, to be counted up with what is assigned."""
        load = await self.load(uow)
        return replace(self.rules, load=load), load

    async def load(self, uow: UnitOfWork) -> Counter[str]:
        """Return the load of everybody, to be counted up with what is assigned."""
        people = [person.id for person in self.rules.organisation.people]
        return await self.loads.current(uow.connection, people, now=uow.now)

    def _rules(self) -> Rules:
        return Rules(
            policy=self.policies.current,
            calendars=self.calendars.book,
            organisation=self.documents.organisation,
            earlier=self.policies.by_label,
            packs=read_packs(),
        )


def read_documents(settings: WorkflowSettings, common: CommonSettings) -> Documents:
    """Read policy, organisation and calendar; raises ConfigurationError with line and reason."""
    path = _file(settings.policy_file)
    policy, document = read_policy(path)
    return Documents(
        policy=FirstPolicy(policy, document, PRODUCT if path is None else POLICY_SETTING),
        organisation=read_organisation(_file(settings.organisation_file)),
        calendar=_calendar(settings, common),
        zone=common.zone,
        script=read_script(_file(settings.call_script_file)),
    )


def _calendar(settings: WorkflowSettings, common: CommonSettings) -> CalendarDocument:
    if not is_known(settings.country):
        raise ConfigurationError(
            "REDRESS_COUNTRY",
            f"{settings.country!r} is no country with known holidays, such as CN, or none",
        )
    return CalendarDocument(
        timezone=common.zone.key,
        holidays=settings.country,
        windows={"mon-fri": tuple(Window(*window) for window in settings.windows)},
    )


def publish(uow: UnitOfWork, changes: Sequence[Change]) -> None:
    """Say the events of changes when the transaction commits."""
    for change in changes:
        for said in change.said:
            uow.emit(said.event, sequence=said.sequence, at=said.at)


def _file(path: Path | None) -> Path | None:
    return path.expanduser() if path is not None else None
