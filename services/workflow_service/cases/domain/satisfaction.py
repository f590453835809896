"""Whether the customer is satisfied: by survey or call, and what follows (domain.md §2, step 12).

A low score opens the case again, one level higher; any other may close it. What counts as low, how
often is called and when a case closes by itself stands in the policy's `satisfaction`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.workflow_service.cases.domain.by_itself import close_by_itself, reopen_by_itself
from services.workflow_service.cases.domain.call_back import (
    SPOKEN,
    CallAttempt,
    CallBack,
    CallBackState,
    CallReason,
    CallResult,
    Satisfaction,
)
from services.workflow_service.cases.domain.calling import CALL_BACK, open_call_back
from services.workflow_service.cases.domain.case import Case, Entry, Words
from services.workflow_service.cases.domain.draft import SYSTEM, Change, Draft
from services.workflow_service.cases.domain.passing import check_moment, pass_time_before
from services.workflow_service.cases.domain.rising import escalate_by_itself
from services.workflow_service.cases.domain.rules import Rules
from services.workflow_service.clocks.domain.policy import AfterAsking
from services.workflow_service.escalation.domain.ladder import Cause, Rise
from shared.events import cases as events
from shared.events.surveys import SurveyAnswered
from shared.events.words import CaseState, ClockKind
from shared.kernel.errors import Conflict, FieldError, InvalidInput, NotFound

SATISFACTION = "satisfaction"
CALL_ATTEMPT = "call-attempt"
NO_FOLLOW_UP = "no-follow-up"
"""How the history names an answer, a call, and that nobody may be asked."""

BY_SURVEY, BY_CALL = "survey", "call"
NO_ADDRESS, NO_CONSENT = "no_address", "no_consent"
"""Why a survey was not sent: the customer has to be called, or must be left alone."""

LONGEST = timedelta(days=30)
MOST_ATTEMPTS = 50
_JUDGED = frozenset({CaseState.RESOLVED, CaseState.CLOSED})


class UnknownCallBack(NotFound):
    """There is no call-back of this id."""

    code = "unknown-call-back"
    title = "There is no such call-back"


class CallBackOver(Conflict):
    """The customer has answered, or the call-back ended otherwise."""

    code = "call-back-over"
    title = "This call-back is over"


@dataclass(frozen=True, slots=True)
class Call:
    """One call, as the agent enters it: its result, or with `score` the customer's answers.

    `words_id` and `note_id` are fresh ids for what is kept encrypted.
    """

    call_back: str
    by: str
    at: datetime
    result: CallResult
    words_id: str
    note_id: str
    score: int | None = None
    text: str | None = None
    note: str | None = None
    call_again_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Answer:
    score: int
    told_by: str
    at: datetime
    round: int
    by: str = SYSTEM
    words_id: str | None = None
    wants_call: bool = False


def surveyed(
    case: Case, said: SurveyAnswered, *, at: datetime, now: datetime, rules: Rules
) -> Change:
    """Take in what a customer answered to the survey, also to that of an earlier round."""
    at = min(max(at, case.opened_at), now)
    draft = Draft(case, rules, now)
    pass_time_before(draft, at)
    answer = _Answer(said.score, BY_SURVEY, at, said.round, wants_call=said.wants_call)
    _take(draft, answer, ends_as=CallBackState.NOT_NEEDED)
    return draft.finish()


def survey_not_sent(
    case: Case, reason: str | None, *, at: datetime, now: datetime, rules: Rules
) -> Change | None:
    """Have the customer called whom no survey reached; ask nobody who does not wish it."""
    draft = Draft(case, rules, now)
    at = min(max(at, case.opened_at), now)
    pass_time_before(draft, at)
    state = draft.case.state
    if not _is_asked(draft.case):
        return None
    if reason == NO_CONSENT:
        draft.cancel(ClockKind.FOLLOW_UP, at)
        draft.system_entry(at, NO_FOLLOW_UP, NO_CONSENT, state, cancelled=True)
    elif open_call_back(draft, CallReason.UNREACHABLE):
        draft.system_entry(draft.now, CALL_BACK, CallReason.UNREACHABLE, state)
    else:
        return None
    return draft.finish()


def _is_asked(case: Case) -> bool:
    """Tell whether the window is open in which the customer is asked."""
    follow_ups = (c for c in case.clocks if c.kind == ClockKind.FOLLOW_UP and c.is_open)
    return case.state is CaseState.RESOLVED and any(c.opened_at for c in follow_ups)


def note_call(case: Case, call: Call, *, now: datetime, rules: Rules) -> Change:
    """Note a call, and with a score the customer's answers.

    Raises UnknownCallBack, CallBackOver, and InvalidInput for a time that does not fit.
    """
    check_moment(case, call.at, now)
    _check_again(call, now)
    draft = Draft(case, rules, now)
    pass_time_before(draft, call.at)
    task = _open_task(draft.case, call.call_back)
    _note_attempt(draft, task, call)
    if call.score is None:
        _conclude(draft, _open_task(draft.case, task.id), call)
    else:
        _keep_answers(draft, task, call)
        by, at, words_id = call.by, call.at, call.words_id if call.text else None
        answer = _Answer(call.score, BY_CALL, at, task.round, by=by, words_id=words_id)
        _take(draft, answer, ends_as=CallBackState.ANSWERED)
    return draft.finish()


def _check_again(call: Call, now: datetime) -> None:
    again = call.call_again_at
    if again is None:
        if call.result is CallResult.LATER:
            raise _wrong("required", "say when the customer is to be called again")
        return
    if call.result not in {CallResult.LATER, CallResult.NO_ANSWER}:
        raise _wrong("unexpected", f"nobody is called again after {call.result}")
    if not now < again <= now + LONGEST:
        raise _wrong("not_ahead", "call_again_at must lie ahead, at most 30 days")


def _wrong(code: str, detail: str) -> InvalidInput:
    return InvalidInput(detail, (FieldError("/call_again_at", code, detail),))


def _open_task(case: Case, call_back: str) -> CallBack:
    task = next((task for task in case.call_backs if task.id == call_back), None)
    if task is None:
        raise UnknownCallBack(f"there is no call-back {call_back}")
    if not task.is_open:
        raise CallBackOver(f"the call-back is {task.state} already")
    if len(task.attempts) >= MOST_ATTEMPTS:
        raise CallBackOver("the customer was called too often")
    return task


def _note_attempt(draft: Draft, task: CallBack, call: Call) -> None:
    """Add an attempt; entering the answers of a call that was noted as reached adds none."""
    last = task.attempts[-1].result if task.attempts else None
    if call.score is not None and last is CallResult.REACHED:
        return
    spoken = call.result in SPOKEN
    note_id = call.note_id if call.note else None
    attempt = CallAttempt(call.at, call.by, call.result, call.call_again_at, note_id)
    draft.put_call_back(
        replace(task, attempts=(*task.attempts, attempt), call_again_at=call.call_again_at)
    )
    if call.note:
        draft.keep(Words(call.note_id, "call_note", call.note, call.by, call.at))
    if spoken:
        draft.meet(ClockKind.FOLLOW_UP, call.at)
        draft.say(events.CustomerContacted, call.at, channel="phone")
    _note(draft, CALL_ATTEMPT, call, call.result.value, met=spoken)


def _conclude(draft: Draft, task: CallBack, call: Call) -> None:
    """End the task where it was refused, or where calling has reached nobody often enough."""
    allowed = draft.rules.policy_of(draft.case.policy).satisfaction.attempts
    if call.result is CallResult.REFUSED:
        state = CallBackState.REFUSED
    elif call.result not in SPOKEN and task.failures >= allowed:
        state = CallBackState.NOT_REACHED
    else:
        return
    draft.end_call_back(state, call.at)
    if state is CallBackState.NOT_REACHED:
        draft.cancel(ClockKind.FOLLOW_UP, call.at)
        before = draft.case.state
        draft.system_entry(call.at, NO_FOLLOW_UP, state.value, before, cancelled=True)
    _close_after(draft, AfterAsking.NO_ANSWER, call.at)


def _keep_answers(draft: Draft, task: CallBack, call: Call) -> None:
    if call.text:
        draft.keep(Words(call.words_id, SATISFACTION, call.text, call.by, call.at))
    noted = next(one for one in draft.case.call_backs if one.id == task.id)
    words_id = call.words_id if call.text else None
    draft.put_call_back(replace(noted, score=call.score, words_id=words_id))


def _take(draft: Draft, answer: _Answer, *, ends_as: CallBackState) -> None:
    """Record an answer and do what follows from it, where it is about the present round."""
    case = draft.case
    known = case.satisfaction
    if known is None or known.round <= answer.round:
        found = Satisfaction(answer.score, answer.told_by, answer.at, answer.round)
        draft.case = replace(case, satisfaction=found)
    is_present = answer.round == case.round and case.merged_into is None
    # Who wants to be called is followed up by that call: until then the clock runs on.
    met = is_present and not answer.wants_call
    if is_present:
        draft.end_call_back(ends_as, answer.at)
    if met:
        draft.meet(ClockKind.FOLLOW_UP, answer.at)
    _note_answer(draft, answer, met=met)
    place = draft.place
    if is_present and case.state in _JUDGED:
        _follow_answer(draft, answer)
    # To whoever has it now: a low score hands it up, and who asked for a call was promised one.
    draft.say_at(
        place,
        events.SatisfactionRecorded,
        answer.at,
        score=answer.score,
        told_by=answer.told_by,
        round=answer.round,
        wants_call=answer.wants_call,
        owner=draft.case.owner,
    )


def _note_answer(draft: Draft, answer: _Answer, *, met: bool) -> None:
    state = draft.case.state.value
    data = {"source": answer.told_by, "round": answer.round, "met": met}
    draft.note(
        Entry(
            at=answer.at,
            by=answer.by,
            action=SATISFACTION,
            from_state=state,
            to_state=state,
            why=str(answer.score),
            note_id=answer.words_id,
            data=data,
        )
    )


def _follow_answer(draft: Draft, answer: _Answer) -> None:
    if answer.score <= draft.rules.policy_of(draft.case.policy).satisfaction.low_score:
        reopen_by_itself(draft, answer.at, Cause.LOW_SCORE.value)
        escalate_by_itself(draft, Rise(Cause.LOW_SCORE), answer.at)
    elif answer.wants_call:
        if open_call_back(draft, CallReason.ASKED):
            draft.system_entry(draft.now, CALL_BACK, CallReason.ASKED, draft.case.state)
    else:
        _close_after(draft, AfterAsking.ANSWER, answer.at)


def _close_after(draft: Draft, what: AfterAsking, at: datetime) -> None:
    policy = draft.rules.policy_of(draft.case.policy).satisfaction
    if draft.case.state is CaseState.RESOLVED and what in policy.closes_after:
        close_by_itself(draft, at, f"follow_up_{what.value}")


def _note(draft: Draft, action: str, call: Call, why: str, *, met: bool) -> None:
    state = draft.case.state.value
    note_id = call.note_id if call.note else None
    data = {"met": met}
    draft.note(Entry(call.at, call.by, action, state, state, why=why, note_id=note_id, data=data))
