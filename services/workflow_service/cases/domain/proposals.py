"""Proposals to the customer: made, approved where they are over somebody's authority, answered.

A proposal over its maker's authority leaves the case where it is. The customer hears of it, and the
clocks that wait for a proposal end, when somebody with the authority approves it (domain.md §2).
"""

from __future__ import annotations

from datetime import datetime

from services.workflow_service.cases.domain.command import Command, wrong
from services.workflow_service.cases.domain.draft import Draft
from services.workflow_service.cases.domain.lifecycle import Action
from services.workflow_service.clocks.domain.clock import Clock
from services.workflow_service.escalation.domain.ladder import Cause
from services.workflow_service.organisation.domain.person import StaffRole
from services.workflow_service.remedies.domain.approval import Approval
from services.workflow_service.remedies.domain.authority import reaches, weightiest
from shared.events import cases as events
from shared.events.words import CaseState, ClockKind
from shared.kernel.errors import Forbidden
from shared.kernel.records import replace

REQUEST_APPROVAL = "request-approval"
"""How the history names a proposal that waits for approval."""

ENDS_WAITING = frozenset(
    {
        *(Action.PROPOSE, Action.APPROVE, Action.REFUSE, Action.ACCEPT, Action.RESOLVE),
        *(Action.REJECT, Action.WITHDRAW, Action.CLOSE),
    }
)
"""The actions after which no proposal waits for approval any more."""


def needs_approval(draft: Draft, command: Command) -> StaffRole | None:
    """Return the least role that may make the proposal, None where its maker may.

    Whoever is no member of staff as far as we know has the authority of the front line.
    """
    if command.action is not Action.PROPOSE or command.overrules:
        return None
    authority = draft.rules.policy_of(draft.case.policy).authority
    role = authority.least_for(one.amount for one in command.options if one.amount)
    own = command.roles | {StaffRole.AGENT.value}
    return None if role is None or reaches(own, role) else role


def request_approval(draft: Draft, command: Command, role: StaffRole) -> None:
    """Have a proposal wait for somebody who may make it; one that waited already is replaced."""
    case, rules = draft.case, draft.rules
    amounts = [one.amount for one in command.options if one.amount]
    amount = weightiest(amounts, rules.policy_of(case.policy).authority)
    assert amount is not None
    approver = rules.organisation.approver(
        role,
        department=case.department,
        complaint_id=case.id,
        at=draft.now,
        never=frozenset({command.by}),
    )
    approval = Approval(
        options=tuple(command.offered()),
        final=command.final,
        words_id=command.words_id,
        role=role,
        amount=amount,
        requested_by=command.by,
        requested_at=command.at,
        approver=approver,
    )
    draft.case = replace(case, approval=approval)
    clock = await_approval(draft, command.at)
    draft.say(
        events.ApprovalRequested,
        command.at,
        role=role.value,
        amount=amount,
        round=case.round,
        requested_by=command.by,
        approver=approver,
        due_at=clock.due_at if clock else None,
        words_id=command.words_id,
    )


def await_approval(draft: Draft, at: datetime) -> Clock | None:
    """Start the clock of an approval and return it; that of one that is replaced ends."""
    draft.cancel(ClockKind.APPROVE, at)
    draft.start_clock(ClockKind.APPROVE, at)
    draft.follow_state(at, REQUEST_APPROVAL)
    return next((c for c in draft.case.clocks if c.kind == ClockKind.APPROVE and c.is_open), None)


def propose(draft: Draft, command: Command, _before: CaseState) -> None:
    """Put options to the customer."""
    draft.case = replace(
        draft.case,
        options=tuple(command.offered()),
        accepted_option=None,
        final_offer=command.final,
    )
    _say_proposed(draft, command, command.words_id)


def approve(draft: Draft, command: Command, _before: CaseState) -> None:
    """Put the options that waited to the customer."""
    approval = _decided(draft, command)
    draft.case = replace(
        draft.case, options=approval.options, accepted_option=None, final_offer=approval.final
    )
    draft.say(events.ApprovalGranted, command.at, **_told(draft, command, approval))
    _say_proposed(draft, command, approval.words_id)


def refuse(draft: Draft, command: Command, _before: CaseState) -> None:
    """Tell the owner why the customer is not offered it."""
    approval = _decided(draft, command)
    draft.say(
        events.ApprovalRefused,
        command.at,
        **_told(draft, command, approval),
        words_id=command.words_id,
    )


def accept(draft: Draft, command: Command, _before: CaseState) -> None:
    """Note which option the customer takes."""
    keys = [option.key for option in draft.case.options]
    if command.option not in keys:
        detail = f"option {command.option!r} was not offered; offered: {', '.join(keys)}"
        raise wrong("/option", "unknown_option", detail)
    draft.case = replace(draft.case, accepted_option=command.option)
    draft.say(
        events.SolutionAccepted,
        command.at,
        option=command.option,
        round=draft.case.round,
        owner=draft.case.owner,
        by_customer=command.by_customer,
    )


def decline(draft: Draft, command: Command, _before: CaseState) -> None:
    """Note that the customer takes none of the options."""
    case = draft.case
    watched = Cause.FINAL_REFUSED.value if case.final_offer else case.watched
    draft.case = replace(
        case, declines=case.declines + 1, options=(), final_offer=False, watched=watched
    )
    draft.say(
        events.SolutionDeclined,
        command.at,
        round=draft.case.round,
        words_id=command.words_id,
        owner=draft.case.owner,
        by_customer=command.by_customer,
    )


def _say_proposed(draft: Draft, command: Command, words_id: str) -> None:
    case = draft.case
    draft.say(
        events.SolutionProposed,
        command.at,
        round=case.round,
        options=case.options,
        final=case.final_offer,
        words_id=words_id,
    )


def _decided(draft: Draft, command: Command) -> Approval:
    approval = draft.case.approval
    assert approval is not None
    if command.at < approval.requested_at:
        raise wrong("/occurred_at", "before_request", "approval was asked for only after that")
    if not command.overrules and not reaches(command.roles, approval.role):
        raise Forbidden(f"A proposal over this amount is approved by a {approval.role} or above.")
    return approval


def _told(draft: Draft, command: Command, approval: Approval) -> dict[str, object]:
    return {
        "owner": draft.case.owner,
        "role": approval.role.value,
        "amount": approval.amount,
        "by": command.by,
        "requested_by": approval.requested_by,
    }
