"""What every use case works with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

from services.workflow_service.calendars.domain.calendar import Window
from services.workflow_service.cases.domain.draft import Change
from services.workflow_service.cases.domain.rules import Rules
from services.workflow_service.clocks.repository import (
    keep_policy,
    read_policy,
    working_calendar,
)
from services.workflow_service.organisation.repository import read_organisation
from services.workflow_service.settings import WorkflowSettings
from shared.db.database import Database
from shared.kernel.clock import Clock
from shared.kernel.settings import CommonSettings
from shared.kernel.vault import Vault
from shared.messaging import Messaging, UnitOfWork


@dataclass(frozen=True, slots=True)
class Documents:
    """The files that rules are made of, read and checked."""

    rules: Rules
    policy_text: str
    zone: ZoneInfo


@dataclass(slots=True)
class Desk:
    """The service's container: database, outbox, master key, clock, rules.

    `rules` are those of the files until `open` has added the policy versions of earlier cases.
    """

    database: Database
    messaging: Messaging
    vault: Vault
    clock: Clock
    documents: Documents
    rules: Rules = field(init=False)

    def __post_init__(self) -> None:
        self.rules = self.documents.rules

    @property
    def zone(self) -> ZoneInfo:
        """The company's time zone, in which explanations tell the time."""
        return self.documents.zone

    async def open(self) -> None:
        """Keep the policy's version and load the earlier ones; raises ConfigurationError."""
        rules = self.documents.rules
        async with self.database.write() as connection:
            known = await keep_policy(
                connection, rules.policy, self.documents.policy_text, now=self.clock.now()
            )
        self.rules = Rules(
            policy=rules.policy,
            working=rules.working,
            organisation=rules.organisation,
            earlier=known,
        )


def read_documents(settings: WorkflowSettings, common: CommonSettings) -> Documents:
    """Read policy, organisation and calendar; raises ConfigurationError with line and reason."""
    policy, policy_text = read_policy(_file(settings.policy_file))
    working = working_calendar(
        country=settings.country,
        zone=common.zone,
        windows=[Window(opens, closes) for opens, closes in settings.windows],
    )
    organisation = read_organisation(_file(settings.organisation_file))
    rules = Rules(policy=policy, working=working, organisation=organisation)
    return Documents(rules, policy_text, common.zone)


def publish(uow: UnitOfWork, changes: Sequence[Change]) -> None:
    """Say the events of changes when the transaction commits."""
    for change in changes:
        for said in change.said:
            uow.emit(said.event, sequence=said.sequence, at=said.at)


def _file(path: Path | None) -> Path | None:
    return path.expanduser() if path is not None else None
