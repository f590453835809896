"""The rules that come with the product, and cases made by them, for tests without a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

from services.workflow_service.calendars.domain.book import CalendarBook, CalendarVersion
from services.workflow_service.calendars.repository.public_days import (
    official_until,
    public_days,
)
from services.workflow_service.calendars.repository.storage import read_calendar
from services.workflow_service.cases.domain.case import Case
from services.workflow_service.cases.domain.command import Command, OptionText
from services.workflow_service.cases.domain.lifecycle import Action
from services.workflow_service.cases.domain.opening import open_case
from services.workflow_service.cases.domain.rules import Rules
from services.workflow_service.cases.service.desk import read_documents
from services.workflow_service.clocks.repository import read_packs, read_policy_text
from services.workflow_service.settings import WorkflowSettings
from shared.events.complaints import ComplaintReceived, ComplaintRegraded
from shared.kernel.settings import CommonSettings
from tests.harness.complaints import received

MONDAY_NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
"""Noon in Shanghai, on a working day."""


def book_of(*documents: tuple[str, str]) -> CalendarBook:
    """Return a book with one version of each calendar: (name, YAML)."""
    versions = {}
    for name, text in documents:
        read = read_calendar(text, name=name)
        special = {year: public_days(read.holidays, year) for year in range(2024, 2029)}
        until = official_until(read.holidays, 2026)
        version = CalendarVersion(name, 1, read, text, special, until, _LONG_AGO, "test")
        versions[name] = [version]
    return CalendarBook(versions, public_days)


_LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
COMPANY = "timezone: Asia/Shanghai\nholidays: CN\nwindows: {mon-fri: [09:00-18:00]}\n"
_STATUTORY = "timezone: {}\nholidays: {}\nwindows: {{mon-fri: [09:00-17:00]}}\n"
BOOK = book_of(
    ("company", COMPANY),
    ("cn", _STATUTORY.format("Asia/Shanghai", "CN")),
    ("gb", _STATUTORY.format("Europe/London", "GB-ENG")),
    ("us", _STATUTORY.format("America/New_York", "US")),
)
_DOCUMENTS = read_documents(WorkflowSettings(), CommonSettings(home=Path("var")))

RULES: Rules = Rules(
    policy=_DOCUMENTS.policy.policy, calendars=BOOK, organisation=_DOCUMENTS.organisation
)

_EVERY_CLOCK = """
  - name: every-clock
    targets:
      department_contact: 4 hours
      department_answer: 2 working days
      carry_out: 1 working day
"""

_EVERY_PACK = (
    "packs: [us-cfpb, cn-banking-insurance, {name: cn-telecoms, when: {priority: P1}},"
    " {name: uk-fca-disp, when: {department: billing}}]"
)

EVERY_CLOCK: Rules = Rules(
    policy=read_policy_text(
        (files("services.workflow_service.clocks") / "policy.yaml")
        .read_text(encoding="utf-8")
        .replace("name: company", "name: every-clock")
        .replace("packs: []", _EVERY_PACK)
        .replace("next_update: {", "next_update: {pauses_in: [awaiting_customer], ")
        .replace("rules:\n", "rules:" + _EVERY_CLOCK),
        name="every-clock.yaml",
    ),
    calendars=BOOK,
    organisation=RULES.organisation,
    packs=read_packs(),
)
"""The same with the clocks that the policy leaves out."""


HASTY: Rules = Rules(
    policy=read_policy_text(
        (files("services.workflow_service.clocks") / "policy.yaml")
        .read_text(encoding="utf-8")
        .replace("name: company", "name: hasty")
        .replace("{1: 75%, 2: 50%, 3: 50%, 4: 50%}", "{1: 1%, 2: 1%, 3: 1%, 4: 1%}")
        .replace(
            "rules:\n",
            "rules:\n  - name: hasty\n    when: {priority: P2}\n    targets:"
            " {first_reply: 2 minutes, propose: 20 seconds, resolve: 90 minutes}\n",
        ),
        name="hasty.yaml",
    ),
    calendars=BOOK,
    organisation=RULES.organisation,
)
"""The same for who allows minutes and seconds, and nothing of them on a higher level."""


def complaint(**changes: object) -> ComplaintReceived:
    """Return a complaint received at Monday noon."""
    return received("01938f5e-7c2a-7d5e-9d8b-3f6f0c1a2b3c", MONDAY_NOON, **changes)


def opened(*, now: datetime = MONDAY_NOON, rules: Rules = RULES, **changes: object) -> Case:
    """Return the case of a complaint as it is opened."""
    return open_case(complaint(**changes), now=now, rules=rules).case


def command(action: Action, at: datetime, **changes: Any) -> Command:
    """Return a valid command of an action."""
    made = Command(
        action=action,
        by="tester",
        at=at,
        words_id="01938f5e-0000-7000-8000-000000000001",
        note_id="01938f5e-0000-7000-8000-000000000002",
        text="words",
        owner="li.na",
        options=(OptionText("refund", "money back"),) if action is Action.PROPOSE else (),
        option="A",
        roles=frozenset({"lead"}),
    )
    return replace(made, **changes)


def regrading(case: Case, priority: str, *, severity: str = "major") -> ComplaintRegraded:
    return ComplaintRegraded(
        complaint_id=case.id,
        number=case.number,
        old_category=case.category,
        category="product.quality" if priority == "P1" else case.category,
        old_severity="moderate",
        severity=severity,
        old_urgency="high",
        urgency="high",
        old_priority=case.priority,
        priority=priority,
        decided_by="staff",
    )
