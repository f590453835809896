"""What is said when: the rows, their conditions, and a company's own changes to them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.notification_service.messages.domain.conditions import Complaint
from services.notification_service.messages.domain.intents import intents_of
from services.notification_service.messages.domain.routing import To, subject_kind
from services.notification_service.messages.domain.words import About, Kind
from services.notification_service.messages.repository.routing import packaged_table, routing_table
from shared.events.base import EventData, Signal
from shared.events.cases import (
    CaseTransferred,
    ClockBreached,
    Closed,
    Escalated,
    IncidentLinked,
    InformationReceived,
    PromiseBroken,
    Reopened,
    Withdrawn,
)
from shared.events.registry import EVENT_TYPES
from shared.events.signals import HotspotDetected, IncidentOpened
from shared.kernel.errors import ConfigurationError

DUE = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
CASE = {"complaint_id": "c", "number": "n", "state": "assigned", "version": 2}
WITHDRAWN = Withdrawn.model_validate(CASE)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return tmp_path / "ours.yaml"


def test_every_kind_has_a_row() -> None:
    said = {row.kind for row in packaged_table().rows.values()}

    assert said == set(Kind)


def test_nobody_is_told_of_a_fact_that_has_no_row() -> None:
    assert not intents_of(WITHDRAWN, packaged_table())


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"clock": "resolve", "owner": "li.na"}, (Kind.STAFF_BREACH, "li.na")),
        ({"clock": "resolve"}, (Kind.OPERATOR_ALERT, "operators")),
        ({"clock": "acknowledge", "owner": "li.na"}, (Kind.OPERATOR_ALERT, "operators")),
        ({"clock": "x.y", "owner": "li.na", "alert": True}, (Kind.OPERATOR_ALERT, "operators")),
    ],
)
def test_a_breach_is_told_to_who_can_mend_it(
    changes: dict[str, object], told: tuple[Kind, str]
) -> None:
    breach = ClockBreached.model_validate(CASE | {"due_at": DUE, "late_seconds": 1} | changes)

    (intent,) = intents_of(breach, packaged_table())

    assert (intent.kind, intent.recipient) == told


@pytest.mark.parametrize(
    ("reason", "told"),
    [("low_score", [Kind.REOPENED]), ("customer", [Kind.REOPENED]), ("supervision", [])],
)
def test_who_was_given_a_supervisor_is_not_told_of_the_new_round_too(
    reason: str, told: list[Kind]
) -> None:
    reopened = Reopened.model_validate(CASE | {"round": 2, "reason": reason})

    assert [intent.kind for intent in intents_of(reopened, packaged_table())] == told


def test_the_owner_of_a_broken_promise_reads_which_clock_it_was_and_no_words() -> None:
    broken = PromiseBroken.model_validate(
        CASE | {"promise": "p", "due_at": DUE, "owner": "li.na", "words_id": "w"}
    )

    customer, owner = intents_of(broken, packaged_table())

    assert customer.facts["words_id"] == "w"
    assert owner.facts["clock"] == "promise"
    assert "words_id" not in owner.facts


def test_a_customer_is_not_told_how_the_house_works_inside() -> None:
    went_up = Escalated.model_validate(
        CASE | {"level": 3, "previous_level": 0, "cause": "customer", "asked_by_customer": True}
    )

    (intent,) = intents_of(went_up, packaged_table())

    assert not {"level", "cause", "clock", "owner"} & set(intent.facts)


HOTSPOT = HotspotDetected(
    hotspot="h", category="logistics.short", region="CN-31", department="logistics",
    count=9, usual=1.5, since=DUE, until=DUE,
)  # fmt: skip
INCIDENT = IncidentOpened(incident="i", department="logistics", owner="li.na", complaints=14)


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (HOTSPOT, ["department:logistics", "role:quality"]),
        (HOTSPOT.model_copy(update={"department": None}), ["role:quality"]),
        (INCIDENT, ["li.na", "department:logistics", "role:quality"]),
        (INCIDENT.model_copy(update={"owner": None, "department": None}), ["role:quality"]),
    ],
)
def test_a_signal_is_told_to_who_can_act_on_it(event: Signal, told: list[str]) -> None:
    assert [intent.recipient for intent in intents_of(event, packaged_table())] == told


def test_the_facts_of_signals_are_those_that_their_wordings_speak_of() -> None:
    hotspot, incident = (intents_of(one, packaged_table())[0] for one in (HOTSPOT, INCIDENT))

    assert hotspot.facts == {
        "region": "CN-31", "count": 9, "usual": 1.5,
        "since": "2026-11-24T08:00:00Z", "until": "2026-11-24T08:00:00Z",
    }  # fmt: skip
    assert incident.facts == {"owner": "li.na", "count": 14}


def test_an_incident_is_urgent_and_a_hot_spot_waits_in_the_mailbox() -> None:
    rows = packaged_table().rows.values()

    assert {row.is_urgent("") for row in rows if row.kind == Kind.STAFF_INCIDENT} == {True}
    assert {row.is_urgent("") for row in rows if row.kind == Kind.STAFF_HOTSPOT} == {False}


def test_whatever_is_said_by_a_signal_is_known_to_be_about_no_complaint() -> None:
    signals = [model for model in EVENT_TYPES if issubclass(model, Signal)]

    assert signals
    assert all(subject_kind(model) is not About.COMPLAINT for model in signals)


@pytest.mark.parametrize(
    ("linked", "told"), [({"owner": "li.na"}, ["li.na"]), ({"department": "logistics"}, [])]
)
def test_who_owns_a_case_hears_that_it_belongs_to_an_incident(
    linked: dict[str, object], told: list[str]
) -> None:
    event = IncidentLinked.model_validate(CASE | {"incident": "i"} | linked)

    assert [intent.recipient for intent in intents_of(event, packaged_table())] == told


def test_an_own_table_changes_a_column_and_leaves_the_rest(own: Path) -> None:
    own.write_text("closed: {enabled: false}\nprogress: {calm: [email]}\n", encoding="utf-8")

    table = routing_table(own)

    assert not table.rows["closed"].enabled
    assert table.rows["closed"].calm == packaged_table().rows["closed"].calm
    assert table.rows["progress"].calm == ("email",)
    assert table.rows["progress"].expires_after == timedelta(days=1)
    assert set(table.rows) == set(packaged_table().rows)


def test_an_own_row_is_said_where_its_conditions_hold(own: Path) -> None:
    own.write_text(
        """
goodbye: {event: Withdrawn, to: customer, kind: closed, calm: [email], urgent: [sms],
          when: {complaint.category: {prefix: [safety, privacy]}, complaint.priority: P1}}
""",
        encoding="utf-8",
    )
    table = routing_table(own)

    told = intents_of(WITHDRAWN, table, Complaint(category="safety.illness", priority="P1"))
    otherwise = intents_of(WITHDRAWN, table, Complaint(category="safety.illness", priority="P2"))

    assert [(one.kind, one.route) for one in told] == [(Kind.CLOSED, "goodbye")]
    assert not otherwise


def test_two_rows_never_tell_one_person_the_same_twice(own: Path) -> None:
    own.write_text(
        "again: {event: CaseTransferred, to: owner, kind: staff_assignment,"
        " calm: [sms], urgent: [sms]}",
        encoding="utf-8",
    )
    handed = CaseTransferred.model_validate(CASE | {"owner": "li.na", "handovers": 1})

    told = intents_of(handed, routing_table(own))

    assert [one.route for one in told] == ["transferred", "transferred_to_owner"]


def test_a_queued_message_finds_its_way_though_its_row_is_gone() -> None:
    table = packaged_table()

    found = table.row("a_row_of_last_year", Kind.STAFF_BREACH)
    named = table.row("promise_broken_owner", Kind.STAFF_BREACH)

    assert found is not None
    assert found.name == "staff_breach"
    assert named is not None
    assert named.name == "promise_broken_owner"


@pytest.mark.parametrize(
    ("event", "untrue"),
    [
        (InformationReceived.model_validate(CASE), {Kind.INFORMATION_REQUESTED}),
        (
            Reopened.model_validate(CASE | {"round": 2, "reason": "customer"}),
            {Kind.RESOLVED, Kind.REJECTED, Kind.CLOSED, Kind.SURVEY},
        ),
        (Closed.model_validate(CASE | {"outcome": "solved"}), set()),
    ],
)
def test_a_fact_takes_back_what_it_makes_untrue(event: EventData, untrue: set[Kind]) -> None:
    assert packaged_table().withdrawn_by(event, Complaint()) == untrue


def test_an_own_table_takes_back_under_its_own_conditions(own: Path) -> None:
    own.write_text(
        "answered: {when: {complaint.priority: P1}}\n"
        "accepted: {enabled: false}\n"
        "ours: {event: Closed, to: nobody, supersedes: [resolved]}\n",
        encoding="utf-8",
    )
    table = routing_table(own)
    answer = InformationReceived.model_validate(CASE)
    closed = Closed.model_validate(CASE | {"outcome": "solved"})

    assert table.withdrawn_by(answer, Complaint(priority="P1")) == {Kind.INFORMATION_REQUESTED}
    assert not table.withdrawn_by(answer, Complaint(priority="P2"))
    assert table.withdrawn_by(closed, Complaint()) == {Kind.RESOLVED}
    assert not table.withdrawals["accepted"].enabled


@pytest.mark.parametrize(
    ("urgency", "complaint", "urgent"),
    [
        ("as_complaint", "high", True),
        ("as_complaint", "normal", False),
        ("always", "low", True),
        ("never", "immediate", False),
    ],
)
def test_a_row_says_whether_its_messages_are_urgent(
    urgency: str, complaint: str, urgent: bool
) -> None:
    row = packaged_table().rows["step"].model_copy(update={"urgency": urgency})

    assert row.is_urgent(complaint) is urgent


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("closed: {enabled: perhaps}", r"ours\.yaml, line 1: closed\.enabled"),
        ("\nclosed:\n  calm: [pigeon]", r"line 3: closed\.calm"),
        ("closed: {calm: []}", r"line 1: closed\.calm"),
        ("closed: {calm: [sms, sms]}", "names a channel twice"),
        ("closed: {chanel: sms}", r"closed\.chanel: there is no such field here"),
        ("closed: {expires_after: soon}", "must be a time span such as 30m, 12h or 2d"),
        ("closed: {event: CaseImported}", "CaseImported is no fact"),
        ("closed: {to: owner}", "Closed names no owner"),
        ("closed: {when: {colour: red}}", "Closed has no field colour"),
        ("closed: {when: {outcome: {like: x}}}", "there is no such field here"),
        ("closed: {when: {outcome: {}}}", "must test for any, not, prefix, contains or given"),
        ("closed: {kind: staff_breach}", "staff_breach is no wording for customer"),
        ("assigned_to_owner: {kind: closed}", "closed is no wording for owner"),
        ("hotspot_to_quality: {when: {complaint.category: other}}", "has no field complaint.cat"),
        ("hotspot_to_quality: {to: customer, kind: closed}", "HotspotDetected is about no custom"),
        ("hotspot_to_quality: {to: owner}", "HotspotDetected names no owner"),
        ("hotspot_to_quality: {mandatory: true}", "HotspotDetected cannot be mandatory"),
        ("hotspot_to_quality: {kind: staff_incident}", "staff_incident is no wording for Hot"),
        ("staff_breach: {kind: staff_hotspot}", "staff_hotspot is no wording for ClockBreached"),
        ("closed: {to: department, kind: staff_breach}", "Closed names no department"),
        ("closed: {supersedes: [birthday]}", r"closed\.supersedes"),
        ("closed: {supersedes: [resolved]}", "closed cannot supersede resolved"),
        ("answered: {supersedes: [acknowledgement]}", "answered cannot supersede acknowledgement"),
        ("answered: {supersedes: []}", r"line 1: answered\.supersedes"),
        ("answered: {calm: [sms]}", r"answered\.calm: there is no such field here"),
        ("answered: {event: CaseImported}", "CaseImported is no fact"),
        ("new: {event: Closed, to: customer}", "new"),
        ("closed: yes", "closed"),
        ("[1]", "line 1"),
        ("closed: {", "line 2"),
    ],
)
def test_a_wrong_table_stops_the_start_with_line_and_reason(
    own: Path, text: str, says: str
) -> None:
    own.write_text(text, encoding="utf-8")

    with pytest.raises(ConfigurationError, match=says):
        routing_table(own)


def test_a_table_that_is_not_there_is_named(own: Path) -> None:
    with pytest.raises(ConfigurationError, match="REDRESS_ROUTING_FILE"):
        routing_table(own)


def test_every_recipient_has_a_row() -> None:
    assert {row.to for row in packaged_table().rows.values()} == set(To)
