"""Is the customer satisfied: surveys and calls, and what follows from each answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.workflow_service.cases.domain.call_back import (
    CallBackState,
    CallReason,
    CallResult,
    call_back_id,
)
from services.workflow_service.cases.domain.case import Case
from services.workflow_service.cases.domain.draft import Change
from services.workflow_service.cases.domain.lifecycle import Action
from services.workflow_service.cases.domain.rules import Rules
from services.workflow_service.cases.domain.satisfaction import (
    Call,
    CallBackOver,
    UnknownCallBack,
    note_call,
    survey_not_sent,
    surveyed,
)
from services.workflow_service.clocks.domain.policy import AfterAsking, SatisfactionConduct
from shared.events.cases import (
    CallBackDue,
    ClockBreached,
    ClockWarned,
    Closed,
    CustomerContacted,
    Escalated,
    FollowUpDue,
    Reopened,
    SatisfactionRecorded,
)
from shared.events.surveys import SurveyAnswered
from shared.events.words import CaseState, ClockKind, ClockState
from shared.kernel.errors import InvalidInput
from tests.unit.workflow.rules import MONDAY_NOON, RULES, opened
from tests.unit.workflow.steps import act, at, clocks_of, live, pass_time

RESOLVED = MONDAY_NOON + timedelta(minutes=1)
DAY = timedelta(days=1)


def resolved(**facts: Any) -> Case:
    return act(opened(**facts), Action.RESOLVE)


def asked(**facts: Any) -> Case:
    return pass_time(resolved(**facts), RESOLVED + DAY).case


def to_call() -> Case:
    return pass_time(asked(), RESOLVED + timedelta(hours=36)).case


def survey(
    case: Case, score: int, *, after: timedelta = timedelta(hours=25), **more: object
) -> Change:
    fields = {"complaint_id": case.id, "number": case.number, "survey": "s", "round": case.round}
    said = SurveyAnswered.model_validate({**fields, "score": score, **more})
    moment = RESOLVED + after
    return surveyed(case, said, at=moment, now=moment, rules=RULES)


def call(case: Case, result: CallResult, *, rules: Rules = RULES, **changes: object) -> Change:
    moment = RESOLVED + timedelta(hours=37)
    made = Call(
        call_back=case.call_backs[-1].id,
        by="li.na",
        at=moment,
        result=result,
        words_id="words",
        note_id="note",
    )
    return note_call(case, replace(made, **changes), now=moment, rules=rules)  # type: ignore[arg-type]


def types(change: Change) -> list[type]:
    return [type(said.event) for said in change.said]


def task_of(change: Change) -> CallBackState:
    return change.case.call_backs[-1].state


def test_the_customer_is_asked_a_day_after_the_resolution_and_its_owner_is_not_warned() -> None:
    change = pass_time(resolved(), RESOLVED + DAY)

    (due,) = (said.event for said in change.said if isinstance(said.event, FollowUpDue))
    assert due.round == 1
    assert ClockWarned not in types(change)


def test_the_window_of_who_has_half_of_every_target_opens_too() -> None:
    case = resolved(tier="vip")

    change = pass_time(case, RESOLVED + DAY / 2)

    assert FollowUpDue in types(change)
    assert live(change.case, ClockKind.FOLLOW_UP).due_at == RESOLVED + DAY


@pytest.mark.parametrize("score", [3, 4, 5])
def test_a_score_that_is_not_low_meets_the_follow_up_and_closes_the_case(score: int) -> None:
    change = survey(asked(), score)

    assert types(change) == [SatisfactionRecorded, Closed]
    assert change.case.state is CaseState.CLOSED
    assert clocks_of(change.case, ClockKind.FOLLOW_UP)[0].state is ClockState.MET
    assert change.case.satisfaction is not None
    assert (change.case.satisfaction.score, change.case.satisfaction.told_by) == (score, "survey")


@pytest.mark.parametrize("score", [1, 2])
def test_a_low_score_opens_the_case_again_one_level_higher(score: int) -> None:
    change = survey(asked(), score)

    assert types(change) == [SatisfactionRecorded, Reopened, Escalated]
    case = change.case
    assert (case.state, case.round, case.escalation_level) == (CaseState.ASSIGNED, 2, 1)
    assert case.causes == ("low_score",)
    assert live(case, ClockKind.RESOLVE).round == 2


def test_a_low_score_opens_a_case_again_that_was_closed_meanwhile() -> None:
    case = act(asked(), Action.CLOSE, minutes=25 * 60)

    change = survey(case, 1, after=timedelta(days=9))

    assert (change.case.state, change.case.escalation_level) == (CaseState.ASSIGNED, 1)


def test_at_the_top_a_low_score_opens_the_case_again_where_it_is() -> None:
    change = survey(replace(asked(), escalation_level=4), 1)

    assert types(change) == [SatisfactionRecorded, Reopened]
    assert change.case.escalation_level == 4


def test_an_answer_about_an_earlier_round_is_recorded_and_changes_nothing() -> None:
    case = act(asked(), Action.REOPEN, minutes=25 * 60)

    change = survey(case, 1, after=timedelta(hours=26), round=1)

    assert types(change) == [SatisfactionRecorded]
    assert (change.case.state, change.case.round) == (case.state, 2)


def test_a_policy_may_leave_closing_to_the_owner() -> None:
    conduct = SatisfactionConduct(closes_after=())
    rules = replace(RULES, policy=RULES.policy.model_copy(update={"satisfaction": conduct}))
    case = to_call()

    change = call(case, CallResult.REACHED, rules=rules, score=5)

    assert change.case.state is CaseState.RESOLVED
    assert types(change) == [CustomerContacted, SatisfactionRecorded]


def test_who_has_not_answered_when_the_window_nears_its_end_is_called() -> None:
    change = pass_time(asked(), RESOLVED + timedelta(hours=36))

    (due,) = (said.event for said in change.said if isinstance(said.event, CallBackDue))
    task = change.case.open_call_back
    assert task is not None
    assert (due.call_back, due.reason, due.owner) == (task.id, "unanswered", "li.na")
    assert task.due_at == RESOLVED + 2 * DAY


def test_who_has_answered_is_not_called() -> None:
    case = survey(asked(), 4).case

    assert case.next_point() is None
    assert case.call_backs == ()


def test_an_answer_to_the_survey_makes_the_call_needless() -> None:
    change = survey(to_call(), 5, after=timedelta(hours=37))

    assert task_of(change) is CallBackState.NOT_NEEDED


@pytest.mark.parametrize("reason", ["no_address", "rejected by the gateway"])
def test_who_cannot_be_sent_a_survey_is_called_at_once(reason: str) -> None:
    moment = RESOLVED + timedelta(hours=24, minutes=5)

    change = survey_not_sent(asked(), reason, at=moment, now=moment, rules=RULES)

    assert change is not None
    assert change.case.call_backs[-1].reason is CallReason.UNREACHABLE
    again = survey_not_sent(change.case, reason, at=moment, now=moment, rules=RULES)
    assert again is None


def test_who_does_not_wish_to_be_asked_is_left_alone() -> None:
    moment = RESOLVED + timedelta(hours=24, minutes=5)

    change = survey_not_sent(asked(), "no_consent", at=moment, now=moment, rules=RULES)

    assert change is not None
    assert change.case.next_point() is None
    assert clocks_of(change.case, ClockKind.FOLLOW_UP)[0].state is ClockState.CANCELLED


def test_a_survey_that_was_not_sent_for_a_case_that_goes_on_changes_nothing() -> None:
    case = act(asked(), Action.REOPEN, minutes=25 * 60)
    moment = RESOLVED + timedelta(hours=26)

    assert survey_not_sent(case, "no_address", at=moment, now=moment, rules=RULES) is None


def test_a_satisfied_customer_who_wants_to_be_called_is_called_by_the_owner() -> None:
    change = survey(asked(), 4, wants_call=True)

    assert types(change) == [SatisfactionRecorded, CallBackDue]
    assert change.case.state is CaseState.RESOLVED
    assert live(change.case, ClockKind.FOLLOW_UP).state is ClockState.RUNNING


def test_a_dissatisfied_customer_who_wants_to_be_called_is_so_by_who_has_the_case_now() -> None:
    change = survey(asked(), 1, wants_call=True)

    recorded, _reopened, escalated = (said.event for said in change.said)
    assert isinstance(recorded, SatisfactionRecorded)
    assert isinstance(escalated, Escalated)
    assert escalated.owner != escalated.previous_owner
    assert (recorded.owner, recorded.wants_call) == (escalated.owner, True)


def test_the_answers_of_a_call_are_recorded_with_their_words_apart() -> None:
    change = call(to_call(), CallResult.REACHED, score=5, text="很满意")

    assert types(change) == [CustomerContacted, SatisfactionRecorded, Closed]
    assert [(words.id, words.text) for words in change.words] == [("words", "很满意")]
    assert task_of(change) is CallBackState.ANSWERED
    task = change.case.call_backs[-1]
    assert (task.score, task.words_id, task.attempts[-1].result) == (5, "words", "reached")


def test_a_low_score_in_a_call_opens_the_case_again_one_level_higher() -> None:
    change = call(to_call(), CallResult.REACHED, score=2)

    assert (change.case.state, change.case.escalation_level) == (CaseState.ASSIGNED, 1)
    assert task_of(change) is CallBackState.ANSWERED


def test_answers_entered_after_the_call_was_noted_make_no_second_attempt() -> None:
    noted = call(to_call(), CallResult.REACHED).case

    change = call(noted, CallResult.REACHED, score=4)

    assert len(change.case.call_backs[-1].attempts) == 1
    assert types(change) == [SatisfactionRecorded, Closed]


def test_calling_ends_when_nobody_was_reached_often_enough() -> None:
    case = to_call()
    for _ in range(2):
        case = call(case, CallResult.NO_ANSWER).case
        assert case.open_call_back is not None

    change = call(case, CallResult.WRONG_NUMBER)

    assert task_of(change) is CallBackState.NOT_REACHED
    assert clocks_of(change.case, ClockKind.FOLLOW_UP)[0].state is ClockState.CANCELLED
    assert change.case.state is CaseState.CLOSED
    assert change.case.satisfaction is None


def test_a_customer_who_refuses_is_not_called_again() -> None:
    change = call(to_call(), CallResult.REFUSED)

    assert task_of(change) is CallBackState.REFUSED
    assert clocks_of(change.case, ClockKind.FOLLOW_UP)[0].state is ClockState.MET


def test_the_owner_is_reminded_when_the_time_has_come_that_was_agreed_on() -> None:
    again = RESOLVED + timedelta(hours=60)
    case = call(to_call(), CallResult.LATER, call_again_at=again).case
    assert case.next_point() == again

    change = pass_time(case, again)

    (due,) = (said.event for said in change.said)
    assert isinstance(due, CallBackDue)
    assert due.reason == "agreed"
    assert change.case.next_point() is None


@pytest.mark.parametrize(
    ("result", "again", "code"),
    [
        (CallResult.LATER, None, "required"),
        (CallResult.LATER, MONDAY_NOON, "not_ahead"),
        (CallResult.LATER, MONDAY_NOON + timedelta(days=90), "not_ahead"),
        (CallResult.REFUSED, MONDAY_NOON + timedelta(days=3), "unexpected"),
    ],
)
def test_a_time_for_another_call_must_fit(
    result: CallResult, again: datetime | None, code: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        call(to_call(), result, call_again_at=again)

    assert [(error.pointer, error.code) for error in refused.value.errors] == [
        ("/call_again_at", code)
    ]


def test_a_call_back_that_is_over_takes_nothing_more() -> None:
    over = call(to_call(), CallResult.REACHED, score=5).case

    with pytest.raises(CallBackOver):
        call(over, CallResult.REACHED, score=1)
    with pytest.raises(UnknownCallBack):
        call(over, CallResult.REACHED, call_back="another", score=1)


@pytest.mark.parametrize("end", [Action.CLOSE, Action.REOPEN])
def test_a_case_that_is_closed_or_reopened_needs_no_call(end: Action) -> None:
    case = act(to_call(), end, minutes=37 * 60)

    assert case.call_backs[-1].state is CallBackState.NOT_NEEDED


def test_a_call_back_that_nobody_makes_takes_the_case_up() -> None:
    change = pass_time(to_call(), RESOLVED + 2 * DAY)

    assert ClockBreached in types(change)
    assert change.case.escalation_level == 1
    assert len(change.case.call_backs) == 1
    # On the higher level the same task waits, whatever becomes due there.
    assert len(pass_time(change.case, RESOLVED + 5 * DAY).case.call_backs) == 1


def test_the_id_of_a_call_back_is_a_uuid_of_its_time() -> None:
    made = UUID(call_back_id("case", 0, at(days=1)))

    assert made.version == 7
    assert made.int >> 80 == int(at(days=1).timestamp() * 1000)
    assert str(made) == call_back_id("case", 0, at(days=1)) != call_back_id("case", 1, at(days=1))


def test_what_closes_a_case_by_itself_is_named_in_its_history() -> None:
    change = survey(asked(), 5)

    assert [entry.why for entry in change.entries if entry.action == "close"] == [
        f"follow_up_{AfterAsking.ANSWER}"
    ]
