"""Who gets a complaint: category, language, presence, load; and who answers at night."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from services.workflow_service.organisation.domain.people import Organisation
from shared.kernel.yaml_documents import read_yaml

COMPANY = """
departments:
  service: {zh: 客服, en: Service}
  logistics: {zh: 物流, en: Logistics}
default_department: service
routing: {logistics: logistics}
escalation: {1: lead, 2: manager, 3: quality, 4: executive}
owners_for_segments: {high_frequency: [lead]}
shifts: {day: {mon-fri: ["09:00-18:00"]}}
duty:
  - {department: logistics, person: chief, hours: {mon-sun: ["18:00-24:00"]}}
  - {person: lead, hours: {mon-sun: ["00:00-24:00"]}}
  - {from: 2026-12-24, to: 2026-12-25, person: boss}
  - {emergency: true, person: safe, hours: {mon-sun: ["00:00-24:00"]}}
  - {levels: [3], person: safe, hours: {mon-sun: ["00:00-24:00"]}}
people:
  - {id: an, name: An, role: agent, department: service, phone: "1", shift: day, deputy: lead,
     absences: [{from: 2026-11-24, to: 2026-11-25}]}
  - {id: bo, name: Bo, role: agent, department: service, phone: "1", shift: day, max_load: 10}
  - {id: em, name: Em, role: agent, department: service, phone: "1", locale: en, deputy: an,
     hours: {mon-wed: ["09:00-12:00", "13:00-18:00"]}}
  - {id: cy, name: Cy, role: agent, department: logistics, phone: "1", shift: day}
  - {id: lead, name: Lead, role: lead, department: service, phone: "1"}
  - {id: chief, name: Chief, role: lead, department: logistics, phone: "1", shift: day}
  - {id: boss, name: Boss, role: manager, department: service, phone: "1", shift: day, deputy: safe}
  - {id: safe, name: Safe, role: quality, department: service, phone: "1"}
  - {id: top, name: Top, role: executive, department: service, phone: "1"}
"""
HOUSE = read_yaml(COMPANY, Organisation, name="company.yaml")
MONDAY_NOON = datetime(2026, 11, 23, 4, 30, tzinfo=UTC)
"""Half past twelve in Shanghai."""
MONDAY_NIGHT = MONDAY_NOON + timedelta(hours=8)
TUESDAY_NOON = MONDAY_NOON + timedelta(days=1)
THURSDAY_NOON = MONDAY_NOON + timedelta(days=3)


def owners(category: str = "service.attitude", **asked: object) -> set[str | None]:
    """Route fifty complaints and return who got them."""
    return {
        HOUSE.route(category, complaint_id=f"complaint-{n}", **asked).owner  # type: ignore[arg-type]  # the test's own words
        for n in range(50)
    }


def test_the_language_of_the_complaint_decides_among_the_agents_of_the_category() -> None:
    ten = MONDAY_NOON - timedelta(hours=2)

    assert owners(language="zh", at=ten) == {"an", "bo"}
    assert owners(language="en", at=ten) == {"em"}
    assert owners("logistics.late", language="en", at=ten) == {"cy"}


def test_lunch_is_no_working_time_and_a_deputy_stands_in() -> None:
    assert owners(language="en", at=MONDAY_NOON) == {"an"}


def test_an_absence_leaves_the_work_to_those_who_are_there() -> None:
    assert owners(language="zh", at=TUESDAY_NOON) == {"bo"}


def test_deputies_stand_in_for_deputies() -> None:
    assert HOUSE.stands_in_for("em", MONDAY_NOON) == "an"
    assert HOUSE.stands_in_for("em", TUESDAY_NOON) == "lead"
    assert HOUSE.stands_in_for("bo", MONDAY_NIGHT) == "bo"


def test_at_night_the_duty_officer_takes_what_nobody_else_can() -> None:
    assert owners("logistics.late", at=MONDAY_NIGHT) == {"chief"}
    assert owners("logistics.late", at=MONDAY_NIGHT + timedelta(hours=6)) == {"lead"}


def test_the_fewest_open_cases_decide_and_the_hash_among_equals() -> None:
    ten = MONDAY_NOON - timedelta(hours=2)

    assert owners(language="zh", at=ten, load={"an": 3, "bo": 2}) == {"bo"}
    assert owners(language="zh", at=ten, load={"an": 2, "bo": 2}) == {"an", "bo"}


def test_who_has_enough_gets_another_only_where_everybody_has() -> None:
    ten = MONDAY_NOON - timedelta(hours=2)

    assert owners(language="zh", at=ten, load={"an": 50, "bo": 10}) == {"an"}
    assert owners("logistics.late", at=ten, load={"cy": 5000}) == {"cy"}


def test_a_batch_that_counts_up_is_spread_evenly() -> None:
    load = Counter({"an": 4, "bo": 0})

    for n in range(100):
        to = HOUSE.route(
            "service.attitude", complaint_id=str(n), language="zh",
            at=MONDAY_NOON - timedelta(hours=2), load=load,
        )  # fmt: skip
        load[to.owner or ""] += 1

    assert load == {"an": 94, "bo": 10}, "bo is full, and before that they were even"


def test_a_complaint_never_goes_to_whom_it_is_about() -> None:
    assert owners("logistics.late", at=MONDAY_NIGHT, never=frozenset({"chief"})) == {"lead"}
    assert owners("logistics.late", at=MONDAY_NOON, never=frozenset({"cy"})) == {None}
    assert owners(language="en", at=MONDAY_NOON, never=frozenset({"an"})) == {"lead"}


def test_a_segment_has_owners_of_its_own_in_the_categorys_department() -> None:
    to = HOUSE.route("logistics.late", complaint_id="1", segment="high_frequency", at=MONDAY_NOON)

    assert (to.department, to.owner) == ("logistics", "lead")
    assert owners("logistics.late", at=MONDAY_NOON, segment="goodwill") == {"cy"}


@pytest.mark.parametrize(
    ("level", "department", "at", "owner"),
    [
        (1, "logistics", MONDAY_NOON, "chief"),
        (1, "logistics", MONDAY_NIGHT, "lead"),
        (2, "logistics", MONDAY_NOON, "boss"),
        (2, "logistics", MONDAY_NIGHT, "safe"),
        (3, None, MONDAY_NIGHT, "safe"),
        (4, "logistics", MONDAY_NIGHT, "top"),
    ],
)
def test_a_level_goes_to_who_is_there_then_deputies_then_duty(
    level: int, department: str | None, at: datetime, owner: str
) -> None:
    taken = HOUSE.owner_at_level(level, department=department, complaint_id="1", at=at)

    assert taken == owner


def test_a_level_without_anybody_else_goes_to_the_duty_officer_of_that_level() -> None:
    nobody = frozenset({"boss"})

    taken = HOUSE.owner_at_level(
        2, department="service", complaint_id="1", at=MONDAY_NOON, never=nobody
    )

    assert taken == "lead"


@pytest.mark.parametrize(
    ("at", "asked", "officer"),
    [
        (MONDAY_NOON, {}, "lead"),
        (MONDAY_NOON, {"department": "logistics"}, "lead"),
        (MONDAY_NIGHT, {"department": "logistics"}, "chief"),
        (MONDAY_NIGHT, {"level": 3}, "safe"),
        (MONDAY_NOON, {"emergency": True}, "safe"),
        (MONDAY_NOON, {"never": {"lead"}}, None),
        (datetime(2026, 12, 24, 1, tzinfo=UTC), {}, "boss"),
        (datetime(2026, 12, 25, 15, 59, tzinfo=UTC), {}, "boss"),
        (datetime(2026, 12, 25, 16, tzinfo=UTC), {}, "lead"),
    ],
)
def test_somebody_is_on_duty_at_any_hour(
    at: datetime, asked: dict[str, object], officer: str | None
) -> None:
    assert HOUSE.duty_officer(at, **asked) == officer  # type: ignore[arg-type]  # the table's own words


def test_the_sample_has_somebody_on_duty_at_every_hour_of_the_week() -> None:
    from tests.unit.workflow.rules import RULES

    hours = [MONDAY_NOON + timedelta(minutes=30 * n) for n in range(2 * 24 * 7)]

    for department in RULES.organisation.departments:
        assert all(RULES.organisation.duty_officer(at, department=department) for at in hours)
