"""Up and down the ladder: every cause, once, with a new owner and shorter clocks."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from importlib.resources import files

import pytest
import yaml

from services.workflow_service.cases.domain.actions import decide
from services.workflow_service.cases.domain.lifecycle import Action, ForbiddenTransition
from services.workflow_service.cases.domain.opening import open_case
from services.workflow_service.cases.domain.reactions import amended, fire_due
from services.workflow_service.organisation.domain.people import Organisation
from shared.events.cases import ClockBreached, DeEscalated, Escalated
from shared.events.complaints import ComplaintAmended
from shared.events.words import CaseState, ClockKind, ClockState
from shared.kernel.errors import Forbidden
from tests.unit.workflow.rules import HASTY, MONDAY_NOON, RULES, command, complaint, opened
from tests.unit.workflow.steps import (
    act,
    amend,
    at,
    causes,
    change_of,
    clocks_of,
    escalations,
    live,
    pass_time,
    regrade,
)

# Causes


def test_every_third_hand_over_takes_the_case_up_once() -> None:
    case, taken = opened(), []

    for minutes, owner in enumerate(("wang.min", "sun.yue", "he.ping") * 2, start=1):
        change = change_of(case, Action.ASSIGN, minutes=minutes, owner=owner)
        case = change.case
        taken.append(causes(change))

    assert taken == [[], [], [("handovers", 1)], [], [], [("handovers", 2)]]


def test_every_second_refusal_takes_the_case_up_once() -> None:
    case, taken = opened(), []

    for minutes in range(1, 5):
        change = change_of(
            act(case, Action.PROPOSE, minutes=minutes), Action.DECLINE, minutes=minutes
        )
        case = change.case
        taken.append(causes(change))

    assert taken == [[], [("declines", 1)], [], [("declines", 2)]]
    assert case.watched is None


def test_a_refused_final_offer_goes_up_and_onto_the_watch_list() -> None:
    case = act(opened(), Action.PROPOSE, final=True)

    change = change_of(case, Action.DECLINE)

    assert causes(change) == [("final_refused", 1)]
    assert (change.case.watched, change.case.final_offer) == ("final_refused", False)


def test_an_offer_after_a_final_one_is_not_final_by_itself() -> None:
    case = act(act(opened(), Action.PROPOSE, final=True), Action.PROPOSE)

    change = change_of(case, Action.DECLINE)

    assert (causes(change), change.case.watched) == ([], None)


@pytest.mark.parametrize(("by_customer", "cause"), [(True, "customer"), (False, "decision")])
def test_the_customers_wish_is_told_to_them_and_a_decision_is_not(
    by_customer: bool, cause: str
) -> None:
    change = change_of(opened(), Action.ESCALATE, by_customer=by_customer)

    (event,) = escalations(change)
    assert (event.cause, event.asked_by_customer) == (cause, by_customer)
    assert (event.previous_owner, event.owner) == ("li.na", "zheng.hao")


def test_words_that_point_outside_take_the_case_up_once() -> None:
    first = amend(opened(), at(minutes=5), signals=("outward-threat",))
    second = amend(first.case, at(minutes=6), signals=("outward-threat",))

    assert (causes(first), causes(second)) == ([("outward", 1)], [])


def test_a_complaint_that_points_outside_arrives_with_the_team_leader() -> None:
    change = open_case(complaint(signals=["outward-threat"]), now=MONDAY_NOON, rules=RULES)

    names = [type(said.event).__name__ for said in change.said]
    assert names == ["CaseOpened", "Escalated"]
    assert (change.case.owner, change.case.escalation_level) == ("zheng.hao", 1)
    (event,) = escalations(change)
    assert event.previous_owner is None
    assert change.case.version == 1


@pytest.mark.parametrize(
    ("channel", "cause"),
    [("supervision_hotline", "supervision"), ("regulator", "regulator"), ("media", "media")],
)
def test_who_goes_over_our_head_arrives_at_supervision(channel: str, cause: str) -> None:
    change = open_case(complaint(channel=channel), now=MONDAY_NOON, rules=RULES)

    (event,) = escalations(change)
    assert (event.level, event.cause, event.owner) == (3, cause, "tang.wei")
    assert (event.earlier_complaint, event.went_up) == (None, "direct")
    assert live(change.case, ClockKind.PROPOSE).target_seconds == 12 * 3600


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, "unsolved"),
        ({"declines": 1}, "result"),
        ({"state": CaseState.REJECTED, "outcome": "rejected"}, "result"),
        ({"category": "service.attitude"}, "attitude"),
    ],
)
def test_a_complaint_over_our_head_says_why_it_did_not_stay_inside(
    changes: dict[str, object], why: str
) -> None:
    earlier = replace(opened(), id="earlier", **changes)  # type: ignore[arg-type] # any field

    change = open_case(
        complaint(channel="regulator"), now=MONDAY_NOON, rules=RULES, earlier=earlier
    )

    (event,) = escalations(change)
    assert (event.earlier_complaint, event.went_up) == ("earlier", why)
    assert change.entries[-1].why == f"regulator: {why}"


def test_an_earlier_complaint_that_was_late_went_up_because_of_that() -> None:
    earlier = pass_time(opened(), at(hours=5)).case

    change = open_case(complaint(channel="media"), now=at(hours=6), rules=RULES, earlier=earlier)

    assert escalations(change)[0].went_up == "late"


def test_a_case_without_an_owner_finds_one_when_it_was_not_assigned_in_time() -> None:
    unowned = replace(opened(), owner=None, state=CaseState.RECEIVED)
    waiting = replace(
        unowned,
        clocks=tuple(
            replace(c, state=ClockState.RUNNING, met_at=None, ended_at=None)
            if c.kind == ClockKind.ASSIGN
            else c
            for c in unowned.clocks
        ),
    )

    case = pass_time(waiting, at(hours=1)).case

    assert (case.state, case.owner, case.escalation_level) == (
        CaseState.ASSIGNED,
        "zheng.hao",
        1,
    )


# Clocks


def test_an_escalation_leaves_the_new_owner_the_levels_share_and_no_clock_more_time() -> None:
    case = act(opened(), Action.ESCALATE, minutes=60)

    propose, reply = live(case, ClockKind.PROPOSE), live(case, ClockKind.FIRST_REPLY)
    assert propose.due_at == at(hours=1 + 18)  # 75 % of 24 hours from then
    assert [(change.why, change.from_seconds) for change in propose.changes] == [
        ("escalation", 24 * 3600)
    ]
    assert reply.due_at == at(hours=4)


def test_an_escalation_near_the_end_changes_no_due_time() -> None:
    case = act(opened(), Action.PROPOSE, minutes=5)
    before = live(case, ClockKind.RESOLVE)

    late = act(case, Action.ESCALATE, minutes=60 * 24 * 2.9)

    assert live(late, ClockKind.RESOLVE).due_at == before.due_at


def test_a_paused_clock_is_shortened_too() -> None:
    case = act(opened(), Action.REQUEST_INFORMATION, minutes=60)
    case = act(case, Action.ESCALATE, minutes=120)

    case = act(case, Action.RECEIVE_INFORMATION, minutes=180)

    assert live(case, ClockKind.PROPOSE).due_at == at(hours=3 + 18)


def test_a_milestone_that_was_missed_gets_a_clock_of_the_new_level() -> None:
    case = pass_time(opened(), at(hours=4)).case

    first, second = clocks_of(case, ClockKind.FIRST_REPLY)
    assert (first.state, first.is_open) == (ClockState.BREACHED, True)
    assert (second.level, second.share, second.due_at) == (1, 75, at(hours=7))
    assert second.rule == "p2/first_reply/75%"


def test_a_case_that_nobody_touches_goes_up_to_the_top_and_stays_loud_there() -> None:
    case, told = opened(), []

    for hours in range(4, 24):
        change = fire_due(case, now=at(hours=hours), rules=RULES)
        if change is not None:
            case = change.case
            told += [
                (hours, type(said.event).__name__)
                for said in change.said
                if isinstance(said.event, Escalated | ClockBreached)
                and getattr(said.event, "clock", "first_reply") == "first_reply"
            ]

    assert told == [
        *((hours, name) for hours in (4, 7, 9, 11) for name in ("ClockBreached", "Escalated")),
        *((hours, "ClockBreached") for hours in (13, 15, 17, 19, 21, 23)),
    ]
    assert case.escalation_level == 4
    assert len(clocks_of(case, ClockKind.FIRST_REPLY)) == 5


@pytest.mark.parametrize(
    ("kind", "lengths"),
    [(ClockKind.FIRST_REPLY, [120, 60]), (ClockKind.PROPOSE, [20] * 5)],
)
def test_a_level_makes_no_clock_shorter_than_a_minute_and_none_longer(
    kind: ClockKind, lengths: list[int]
) -> None:
    case = opened(rules=HASTY)

    for seconds in range(1, 60 * 20):
        change = fire_due(case, now=at(seconds=seconds), rules=HASTY)
        case = change.case if change else case

    assert case.escalation_level == 4
    assert [clock.target_seconds for clock in clocks_of(case, kind)] == lengths


def test_a_clock_that_runs_on_is_left_a_minute_where_the_share_is_less() -> None:
    case = opened(rules=HASTY)

    moment = at(seconds=10, milliseconds=300)
    change = decide(case, command(Action.ESCALATE, moment), now=moment, rules=HASTY)

    resolve = live(change.case, ClockKind.RESOLVE)
    assert resolve.changes[-1].why == "escalation"
    assert resolve.due_at == at(seconds=11 + 60)


def test_reaching_the_milestone_ends_every_clock_of_it() -> None:
    case = pass_time(pass_time(opened(), at(hours=4)).case, at(hours=7)).case

    case = act(case, Action.RECORD_CONTACT, minutes=60 * 8)

    states = [
        (clock.state.value, clock.is_open) for clock in clocks_of(case, ClockKind.FIRST_REPLY)
    ]
    assert states == [("breached", False), ("breached", False), ("met", False)]


def test_a_machine_that_was_down_for_days_takes_a_case_one_level_up() -> None:
    back_at = at(days=5)

    case = pass_time(opened(), back_at).case

    assert case.escalation_level == 1
    for kind in (ClockKind.FIRST_REPLY, ClockKind.PROPOSE, ClockKind.RESOLVE):
        clock = live(case, kind)
        assert clock.started_at == back_at
        assert clock.due_at is not None
        assert clock.due_at > back_at


def test_events_that_waited_meanwhile_take_it_no_higher_either() -> None:
    back_at, case = at(days=5), opened()

    for hours in (5, 30, 80):
        said = ComplaintAmended(
            complaint_id=case.id, number=case.number, kind="addition", by="customer"
        )
        change = amended(case, said, at=at(hours=hours), now=back_at, rules=RULES)
        assert change is not None
        case = change.case

    assert case.escalation_level == 1
    assert live(case, ClockKind.PROPOSE).due_at == back_at + timedelta(hours=18)


def test_a_clock_that_begins_at_a_level_has_its_share() -> None:
    case = act(opened(), Action.ESCALATE, minutes=1)

    case = act(case, Action.RECORD_CONTACT, minutes=10)

    assert live(case, ClockKind.NEXT_UPDATE).due_at == at(minutes=10, hours=18)


def test_another_grade_makes_nothing_longer_that_an_escalation_made_shorter() -> None:
    case = act(opened(), Action.ESCALATE, minutes=60)

    lower = regrade(case, at(hours=2), priority="P4").case
    higher = regrade(case, at(hours=2), priority="P1").case

    assert live(lower, ClockKind.PROPOSE).due_at == at(hours=19)
    assert live(higher, ClockKind.PROPOSE).due_at == at(hours=4)


# Down again


def test_a_lead_hands_a_case_down_and_its_clocks_stay_as_they_are() -> None:
    up = act(opened(), Action.ESCALATE, minutes=60)

    change = change_of(up, Action.DE_ESCALATE, minutes=120, owner=None)

    (event,) = (said.event for said in change.said if isinstance(said.event, DeEscalated))
    assert (event.previous_level, event.level) == (1, 0)
    assert (event.previous_owner, event.owner) == ("zheng.hao", "li.na")
    assert live(change.case, ClockKind.PROPOSE) == live(up, ClockKind.PROPOSE)
    heard = act(change.case, Action.RECORD_CONTACT, minutes=180)
    assert live(heard, ClockKind.NEXT_UPDATE).due_at == at(hours=27)


def test_the_one_who_is_named_takes_it() -> None:
    up = act(act(opened(), Action.ESCALATE), Action.ESCALATE)

    case = act(up, Action.DE_ESCALATE, owner="chen.jing")

    assert (case.escalation_level, case.owner) == (1, "chen.jing")


@pytest.mark.parametrize(("by", "may"), [("zheng.hao", True), ("wang.min", False)])
def test_only_the_owner_or_who_leads_hands_a_case_down(by: str, may: bool) -> None:
    up = act(opened(), Action.ESCALATE)

    if may:
        assert act(up, Action.DE_ESCALATE, by=by, roles=frozenset({"agent"})).escalation_level == 0
    else:
        with pytest.raises(Forbidden):
            act(up, Action.DE_ESCALATE, by=by, roles=frozenset({"agent"}))


def test_nothing_lies_below_the_front_line() -> None:
    with pytest.raises(ForbiddenTransition) as refused:
        act(opened(), Action.DE_ESCALATE)

    assert Action.DE_ESCALATE not in refused.value.allowed_actions


# Emergencies


def test_an_emergency_has_limits_of_its_own_and_pages_who_has_the_duty() -> None:
    change = open_case(
        complaint(severity="critical", priority="P1", tier="vip"), now=MONDAY_NOON, rules=RULES
    )

    (event,) = escalations(change)
    assert (event.emergency, event.cause, event.level) == (True, "emergency", 2)
    assert event.owner == change.case.owner == "tang.wei"
    assert live(change.case, ClockKind.FIRST_REPLY).due_at == at(minutes=15)
    assert live(change.case, ClockKind.PROPOSE).due_at == at(hours=2)
    assert change.case.state is CaseState.ASSIGNED
    assert Action.PROPOSE in change.case.allowed_actions


def test_limits_of_an_emergency_count_from_when_it_became_one() -> None:
    case = act(opened(), Action.START_INVESTIGATION)

    change = regrade(case, at(hours=3), severity="critical", priority="P1")
    again = regrade(change.case, at(hours=3.1), severity="critical", priority="P2")

    assert causes(change) == [("emergency", 2)]
    assert live(change.case, ClockKind.FIRST_REPLY).due_at == at(hours=3, minutes=15)
    assert causes(again) == []


def test_no_level_makes_the_limits_of_an_emergency_shorter() -> None:
    case = act(act(opened(), Action.ESCALATE), Action.RECORD_CONTACT, minutes=10)

    emergency = regrade(case, at(hours=1), severity="critical", priority="P1").case
    heard = act(emergency, Action.RECORD_CONTACT, minutes=90)

    assert live(case, ClockKind.NEXT_UPDATE).share == 75
    assert live(emergency, ClockKind.NEXT_UPDATE).due_at == at(hours=5)
    assert live(heard, ClockKind.NEXT_UPDATE).due_at == at(hours=5.5)


def test_a_regulators_emergency_stays_with_supervisions_level_and_the_duty_officer() -> None:
    change = open_case(
        complaint(severity="critical", channel="regulator"), now=MONDAY_NOON, rules=RULES
    )

    assert causes(change) == [("regulator", 3), ("emergency", 3)]
    assert change.case.owner == "tang.wei"


# Nobody there


def test_a_level_that_has_nobody_leaves_the_case_with_the_front_line() -> None:
    inside = files("services.workflow_service.organisation") / "organisation.yaml"
    document = yaml.safe_load(inside.read_text(encoding="utf-8"))
    kept = ({"id", "name", "role", "department", "email"}, {"agent", "executive"})
    people = [
        {name: value for name, value in person.items() if name in kept[0]}
        for person in document["people"]
        if person["role"] in kept[1]
    ]
    departments = {
        name: {"zh": titled["zh"], "en": titled["en"]}
        for name, titled in document["departments"].items()
    }
    alone = replace(
        RULES,
        organisation=Organisation.model_validate(
            {**document, "people": people, "duty": [], "departments": departments}
        ),
    )

    change = open_case(complaint(channel="regulator"), now=MONDAY_NOON, rules=alone)

    assert (change.case.owner, change.case.escalation_level) == ("li.na", 3)
