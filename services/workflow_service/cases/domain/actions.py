"""What people do with a case, and what follows: one effect per action, all pure.

`decide` checks, lets the time pass that has passed, moves the state by the lifecycle's table and
applies the action's effect.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from services.workflow_service.cases.domain.by_law import bind_by_law
from services.workflow_service.cases.domain.call_back import CallBackState
from services.workflow_service.cases.domain.case import Case, Entry, Words
from services.workflow_service.cases.domain.command import Command
from services.workflow_service.cases.domain.draft import Change, Draft
from services.workflow_service.cases.domain.lifecycle import (
    Action,
    ForbiddenTransition,
    target_of,
)
from services.workflow_service.cases.domain.listed import check_listed
from services.workflow_service.cases.domain.milestones import effects_of
from services.workflow_service.cases.domain.ownership import enter_department, give_to
from services.workflow_service.cases.domain.passing import check_moment, pass_time_before
from services.workflow_service.cases.domain.proposals import (
    ENDS_WAITING,
    REQUEST_APPROVAL,
    accept,
    approve,
    decline,
    needs_approval,
    propose,
    refuse,
    request_approval,
)
from services.workflow_service.cases.domain.rising import (
    data_of,
    de_escalate,
    escalate,
    escalate_for,
)
from services.workflow_service.cases.domain.rules import Rules
from services.workflow_service.cases.domain.waiting import begin_waiting, end_waiting, go_back
from services.workflow_service.escalation.domain.ladder import Cause, Rise
from shared.events import cases as events
from shared.events.words import CaseState, Outcome
from shared.kernel.errors import Forbidden
from shared.kernel.records import replace


def decide(case: Case, command: Command, *, now: datetime, rules: Rules) -> Change:
    """Return what the command makes of the case.

    Raises ForbiddenTransition where the state does not allow it, InvalidInput for a time before
    the case or in the future, an option that was not offered, or an owner or department that does
    not exist, Forbidden where the person may not.
    """
    if command.just_now:
        command = replace(command, at=now)
    check_moment(case, command.at, now)
    draft = Draft(case, rules, now)
    pass_time_before(draft, command.at)
    _check_possible(draft.case, command)
    role = needs_approval(draft, command)
    if role is None:
        _do(draft, command)
    else:
        before = draft.case.state
        request_approval(draft, command, role)
        _record(draft, command, before, action=REQUEST_APPROVAL)
    return draft.finish()


def _do(draft: Draft, command: Command) -> None:
    case, action = draft.case, command.action
    before = case.state
    _move(draft, action)
    draft.follow_state(command.at, action.value)
    _EFFECTS[action](draft, command, before)
    draft.apply(effects_of(action, before), command.at)
    draft.follow_state(command.at, action.value)
    if action in ENDS_WAITING and case.approval is not None:
        draft.case = replace(draft.case, approval=None)
    _record(draft, command, before, action=action.value)
    bind_by_law(draft, case, command.at)
    escalate_for(draft, case, command.at)


def _check_possible(case: Case, command: Command) -> None:
    if case.merged_into is not None:
        detail = f"the case was added to that of complaint {case.merged_into}: act on that one"
        raise ForbiddenTransition(detail, ())
    target_of(case.state, command.action, allowed=case.allowed_actions)
    if command.action in {Action.APPROVE, Action.REFUSE} and case.approval is None:
        raise ForbiddenTransition("no proposal waits for approval", case.allowed_actions)


def _move(draft: Draft, action: Action) -> None:
    before = draft.case.state
    after = target_of(before, action)
    draft.case = replace(draft.case, state=after)
    if before is CaseState.AWAITING_CUSTOMER and after is not before:
        end_waiting(draft)


def _record(draft: Draft, command: Command, before: CaseState, *, action: str) -> None:
    kind = _WORDS_KIND.get(command.action)
    spoken = kind is not None and (command.text is not None or bool(command.options))
    if kind is not None and spoken:
        words = Words(command.words_id, kind, command.text, command.by, command.at)
        draft.keep(replace(words, details=_details(command)))
    if command.note is not None:
        draft.keep(Words(command.note_id, "note", command.note, command.by, command.at))
    draft.note(
        Entry(
            at=command.at,
            by=command.by,
            action=action,
            from_state=before.value,
            to_state=draft.case.state.value,
            why=_why(draft.case, command),
            words_id=command.words_id if spoken else None,
            note_id=command.note_id if command.note is not None else None,
            data=_data(draft, command),
        )
    )


def _data(draft: Draft, command: Command) -> Mapping[str, object] | None:
    case = draft.case
    if command.action in {Action.ASSIGN, Action.REOPEN}:
        return {"owner": case.owner, "department": case.department}
    if command.action is Action.ESCALATE:
        return data_of(draft, Cause(case.causes[-1]))
    if command.action is Action.DE_ESCALATE:
        return {"owner": case.owner, "level": case.escalation_level}
    if command.reference is not None:
        return {"reference": command.reference}
    return None


def _details(command: Command) -> tuple[Mapping[str, object], ...]:
    return tuple(
        {
            "key": offered.key,
            "kind": option.kind,
            "text": option.text,
            "amount": option.amount.model_dump() if option.amount else None,
        }
        for offered, option in zip(command.offered(), command.options, strict=True)
    )


def _why(case: Case, command: Command) -> str | None:
    if command.action is Action.ASSIGN:
        return case.owner
    if command.action is Action.ACCEPT:
        return command.option
    if command.action in {Action.RESOLVE, Action.CLOSE}:
        return case.outcome
    return None


def _assign(draft: Draft, command: Command, _before: CaseState) -> None:
    case, organisation = draft.case, draft.rules.organisation
    owner = command.owner or ""
    person = organisation.person(owner)
    check_listed(organisation, owner=owner, department=command.department)
    department = command.department or (person.department if person else case.department)
    # Giving a case to who has it already is no hand-over: nobody is told, nothing is counted.
    if (owner, department) != (case.owner, case.department):
        give_to(draft, owner, department, command.at)


def _start_investigation(draft: Draft, command: Command, _before: CaseState) -> None:
    draft.say(events.InvestigationStarted, command.at)


def _record_contact(draft: Draft, command: Command, _before: CaseState) -> None:
    draft.say(
        events.CustomerContacted,
        command.at,
        channel=command.channel,
        direction=command.direction,
    )


def _request_information(draft: Draft, command: Command, before: CaseState) -> None:
    begin_waiting(draft, command.at, before=before)
    draft.say(events.InformationRequested, command.at, words_id=command.words_id)


def _receive_information(draft: Draft, command: Command, _before: CaseState) -> None:
    receive_information(draft, command.at)


def receive_information(draft: Draft, at: datetime) -> None:
    """Bring an awaiting case back to where it was, its clocks running again."""
    go_back(draft, at, Action.RECEIVE_INFORMATION.value)
    draft.say(events.InformationReceived, at)


def _carry_out(draft: Draft, command: Command, _before: CaseState) -> None:
    draft.say(
        events.StepCarriedOut,
        command.at,
        kind=command.step,
        reference=command.reference,
        words_id=command.words_id,
    )


def _resolve(draft: Draft, command: Command, _before: CaseState) -> None:
    draft.case = replace(draft.case, outcome=command.outcome.value)
    draft.say(events.Resolved, command.at, outcome=command.outcome.value, words_id=command.words_id)


def _close(draft: Draft, command: Command, _before: CaseState) -> None:
    draft.say(events.Closed, command.at, outcome=draft.case.outcome or Outcome.SOLVED.value)


def _reopen(draft: Draft, command: Command, _before: CaseState) -> None:
    reopen(draft, command.at)


def reopen(draft: Draft, at: datetime, reason: str | None = None) -> None:
    """Begin another round, with the owner that the case had."""
    # The level stays: only a follow-up that finds the customer dissatisfied raises it by itself.
    # A person who reopens may be mending a mistake of ours, and has `escalate` beside it.
    case = draft.case
    owner, department = case.owner, case.department
    if owner is None:
        to = draft.rules.route(case.category, case.facts, complaint_id=case.id, at=draft.now)
        owner, department = to.owner, to.department
    draft.case = replace(
        draft.case,
        round=case.round + 1,
        state=CaseState.ASSIGNED if owner else CaseState.RECEIVED,
        owner=owner,
        department=department,
        options=(),
        accepted_option=None,
        outcome=None,
        final_offer=False,
    )
    draft.end_call_back(CallBackState.NOT_NEEDED, at)
    enter_department(draft, None, at)
    draft.say(events.Reopened, at, round=draft.case.round, reason=reason, owner=owner)


def _reject(draft: Draft, command: Command, _before: CaseState) -> None:
    draft.case = replace(draft.case, outcome=Outcome.REJECTED.value)
    draft.say(events.Rejected, command.at, words_id=command.words_id)


def _withdraw(draft: Draft, command: Command, _before: CaseState) -> None:
    draft.case = replace(draft.case, outcome=Outcome.WITHDRAWN.value)
    draft.say(events.Withdrawn, command.at)


def _escalate(draft: Draft, command: Command, _before: CaseState) -> None:
    cause = Cause.CUSTOMER if command.by_customer else Cause.DECISION
    if not escalate(draft, Rise(cause, asked_by_customer=command.by_customer), command.at):
        raise ForbiddenTransition(
            "the case is at the highest level already", draft.case.allowed_actions
        )


def _de_escalate(draft: Draft, command: Command, _before: CaseState) -> None:
    case = draft.case
    if case.escalation_level == 0:
        raise ForbiddenTransition("the case is with the front line already", case.allowed_actions)
    if not command.may_lead and command.by != case.owner:
        raise Forbidden("Only who leads others, or who has the case, hands it down the ladder.")
    check_listed(draft.rules.organisation, owner=command.owner)
    de_escalate(draft, command.owner, command.at)


_EFFECTS: Mapping[Action, Callable[[Draft, Command, CaseState], None]] = {
    Action.ASSIGN: _assign,
    Action.START_INVESTIGATION: _start_investigation,
    Action.RECORD_CONTACT: _record_contact,
    Action.REQUEST_INFORMATION: _request_information,
    Action.RECEIVE_INFORMATION: _receive_information,
    Action.PROPOSE: propose,
    Action.APPROVE: approve,
    Action.REFUSE: refuse,
    Action.ACCEPT: accept,
    Action.DECLINE: decline,
    Action.CARRY_OUT: _carry_out,
    Action.RESOLVE: _resolve,
    Action.CLOSE: _close,
    Action.REOPEN: _reopen,
    Action.REJECT: _reject,
    Action.WITHDRAW: _withdraw,
    Action.ESCALATE: _escalate,
    Action.DE_ESCALATE: _de_escalate,
}

_WORDS_KIND: Mapping[Action, str] = {
    Action.RECORD_CONTACT: "contact",
    Action.REQUEST_INFORMATION: "information_request",
    Action.RECEIVE_INFORMATION: "information",
    Action.PROPOSE: "proposal",
    Action.REFUSE: "approval_refusal",
    Action.DECLINE: "decline",
    Action.CARRY_OUT: "step",
    Action.RESOLVE: "summary",
    Action.REJECT: "rejection",
    Action.REOPEN: "reopen_reason",
    Action.WITHDRAW: "note",
    Action.ESCALATE: "note",
    Action.DE_ESCALATE: "note",
}
