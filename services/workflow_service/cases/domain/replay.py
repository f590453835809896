"""The clocks of a case, worked out anew from its history.

Every line of the history says what happened, when, and where the action alone does not tell it,
what a replay needs (`Entry.data`). The answer must be the one that the running case holds: it is
what explains a due time to somebody who does not believe it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from services.workflow_service.cases.domain.by_law import BIND, start_by_law
from services.workflow_service.cases.domain.calendars import CALENDAR, move, move_by_law
from services.workflow_service.cases.domain.calling import CALL_BACK
from services.workflow_service.cases.domain.case import Case, Entry
from services.workflow_service.cases.domain.draft import Draft
from services.workflow_service.cases.domain.extensions import prolong
from services.workflow_service.cases.domain.levels import begin_again, take_level
from services.workflow_service.cases.domain.lifecycle import Action
from services.workflow_service.cases.domain.merging import MERGE, REPEAT
from services.workflow_service.cases.domain.milestones import effects_of
from services.workflow_service.cases.domain.opening import start_clocks
from services.workflow_service.cases.domain.ownership import enter_department
from services.workflow_service.cases.domain.promise import Promise
from services.workflow_service.cases.domain.promise_clocks import DELAY, postpone, start_promise
from services.workflow_service.cases.domain.proposals import REQUEST_APPROVAL, await_approval
from services.workflow_service.cases.domain.reactions import REGRADE
from services.workflow_service.cases.domain.rising import ESCALATE
from services.workflow_service.cases.domain.rules import Rules
from services.workflow_service.cases.domain.satisfaction import (
    CALL_ATTEMPT,
    NO_FOLLOW_UP,
    SATISFACTION,
)
from services.workflow_service.clocks.domain import clock as clocks
from services.workflow_service.clocks.domain.clock import EXTENSION, Clock
from shared.events.words import CaseState, ClockKind
from shared.kernel.records import replace

Data = Mapping[str, Any]


def replayed_clocks(case: Case, history: Iterable[Entry], rules: Rules) -> tuple[Clock, ...]:
    """Return the clocks of `case` as its history gives them, from its opening on.

    Imported cases begin with the clocks that their source recorded; theirs cannot be replayed.
    """
    if case.merged_into is not None and not case.clocks:
        return ()
    entries = iter(history)
    opening = next(entries)
    draft = Draft(_at_opening(case, opening), rules.as_of(opening.known_at), opening.at)
    start_clocks(draft, max(opening.at, case.opened_at))
    for entry in entries:
        draft.rules = rules.as_of(entry.known_at)
        _again(draft, entry)
    return draft.case.clocks


def _at_opening(case: Case, opening: Entry) -> Case:
    begun = replace(
        case,
        state=CaseState(opening.to_state),
        state_before=None,
        awaiting_until=None,
        round=1,
        escalation_level=0,
        clocks=(),
        promises=(),
        call_backs=(),
        changed_at=None,
    )
    return _graded(begun, opening.data or {})


def _graded(case: Case, data: Data) -> Case:
    return replace(
        case,
        category=data["category"],
        priority=data["priority"],
        owner=data["owner"],
        department=data["department"],
        facts=replace(case.facts, severity=data["severity"], urgency=data["urgency"]),
    )


def _again(draft: Draft, entry: Entry) -> None:
    step = _SYSTEM_STEPS.get(entry.action)
    if step is not None:
        step(draft, entry, entry.data or {})
    elif entry.action in _ACTIONS:
        _act(draft, entry, Action(entry.action))


def _act(draft: Draft, entry: Entry, action: Action) -> None:
    data = entry.data or {}
    draft.case = replace(draft.case, state=CaseState(entry.to_state))
    draft.follow_state(entry.at, action.value)
    if action is Action.REOPEN:
        draft.case = replace(draft.case, round=draft.case.round + 1)
        _placed(draft, data)
        enter_department(draft, None, entry.at)
    elif action is Action.ASSIGN:
        _given(draft, data, entry.at)
    draft.apply(effects_of(action, CaseState(entry.from_state or entry.to_state)), entry.at)
    draft.follow_state(entry.at, action.value)


def _placed(draft: Draft, data: Data) -> None:
    draft.case = replace(draft.case, owner=data["owner"], department=data["department"])


def _given(draft: Draft, data: Data, at: datetime) -> None:
    before = draft.case.department
    _placed(draft, data)
    if draft.case.owner is not None:
        draft.meet(ClockKind.ASSIGN, at)
    enter_department(draft, before, at)


def _acknowledge(draft: Draft, entry: Entry, _data: Data) -> None:
    if entry.why == "sent":
        draft.meet(ClockKind.ACKNOWLEDGE, entry.at)
        draft.heard(entry.at)
    else:
        draft.cancel(ClockKind.ACKNOWLEDGE, entry.at)


def _amend(draft: Draft, entry: Entry, _data: Data) -> None:
    draft.case = replace(draft.case, state=CaseState(entry.to_state))
    draft.follow_state(entry.at, Action.RECEIVE_INFORMATION.value)


def _regrade(draft: Draft, entry: Entry, data: Data) -> None:
    before = draft.case
    draft.case = _graded(before, {**data, "owner": before.owner, "department": before.department})
    draft.retarget(entry.at, REGRADE, since=_instant(data["since"]))
    _given(draft, data, entry.at)


def _stop_waiting(draft: Draft, entry: Entry, data: Data) -> None:
    draft.case = replace(draft.case, state=CaseState(entry.to_state))
    draft.follow_state(_instant(data["ended"]), entry.why or "")


def _on_clock(change: Callable[[Clock, Entry, datetime], Clock]) -> Callable[..., None]:
    def step(draft: Draft, entry: Entry, data: Data) -> None:
        clock = draft.case.clocks[data["place"]]
        draft.put(clock, change(clock, entry, _instant(data["point"])))

    return step


def _warn(clock: Clock, entry: Entry, point: datetime) -> Clock:
    return clocks.warn(clock, at=point, fired_at=entry.at)[0]


def _update(draft: Draft, entry: Entry, _data: Data) -> None:
    draft.heard(entry.at)


def _breach(draft: Draft, entry: Entry, data: Data) -> None:
    place = data["place"]
    draft.put(draft.case.clocks[place], clocks.breach(draft.case.clocks[place]))
    if data["again"]:
        begin_again(draft, draft.case.clocks[place], entry.at)


def _escalate(draft: Draft, entry: Entry, data: Data) -> None:
    _move_level(draft, entry, data)
    take_level(draft, _instant(data["since"]))


def _move_level(draft: Draft, entry: Entry, data: Data) -> None:
    draft.case = replace(
        draft.case, escalation_level=data["level"], state=CaseState(entry.to_state)
    )
    _placed(draft, {"department": draft.case.department, **data})
    if draft.case.owner is not None:
        draft.meet(ClockKind.ASSIGN, entry.at)


def _promise(draft: Draft, entry: Entry, data: Data) -> None:
    made_at, due_at = _instant(data["made_at"]), _instant(data["due_at"])
    start_promise(draft, Promise(data["promise"], "", entry.by, made_at, due_at))


def _keep_promise(draft: Draft, entry: Entry, data: Data) -> None:
    draft.meet_promise(data["promise"], entry.at)


def _delay_promise(draft: Draft, entry: Entry, data: Data) -> None:
    clock = draft.case.clocks[data["place"]]
    if "point" in data:
        draft.put(clock, _warn(clock, entry, _instant(data["point"])))
    draft.now = entry.at
    promise = draft.promise(data["promise"])
    postpone(draft, promise, _instant(data["due_at"]), by=entry.by)


def _extension(draft: Draft, entry: Entry, data: Data) -> None:
    draft.now = entry.at
    clock = draft.case.clocks[data["place"]]
    prolong(draft, clock, _instant(data["until"]), by=entry.by)


def _bind(draft: Draft, _entry: Entry, data: Data) -> None:
    start_by_law(draft, data["kinds"])


def _request_approval(draft: Draft, entry: Entry, _data: Data) -> None:
    await_approval(draft, entry.at)


def _call_back(draft: Draft, entry: Entry, data: Data) -> None:
    if "point" in data:
        clock = draft.case.clocks[data["place"]]
        draft.put(clock, _warn(clock, entry, _instant(data["point"])))


def _follow_up(draft: Draft, entry: Entry, data: Data) -> None:
    if data.get("met"):
        draft.meet(ClockKind.FOLLOW_UP, entry.at)
    if data.get("cancelled"):
        draft.cancel(ClockKind.FOLLOW_UP, entry.at)


def _calendar(draft: Draft, entry: Entry, data: Data) -> None:
    move(draft, data["labels"], entry.at)
    move_by_law(draft, data.get("laws", {}), entry.at)


def _instant(value: object) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(str(value))


_ACTIONS = frozenset(action.value for action in Action)

_SYSTEM_STEPS: Mapping[str, Callable[[Draft, Entry, Data], None]] = {
    "acknowledge": _acknowledge,
    "amend": _amend,
    REPEAT: _amend,
    REGRADE: _regrade,
    "stop-waiting": _stop_waiting,
    "warn": _on_clock(_warn),
    "open-window": _on_clock(lambda clock, entry, _: clocks.open_window(clock, at=entry.at)),
    "breach": _breach,
    "update": _update,
    "tell": _update,
    CALENDAR: _calendar,
    BIND: _bind,
    EXTENSION: _extension,
    REQUEST_APPROVAL: _request_approval,
    "promise": _promise,
    "keep-promise": _keep_promise,
    DELAY: _delay_promise,
    CALL_BACK: _call_back,
    CALL_ATTEMPT: _follow_up,
    SATISFACTION: _follow_up,
    NO_FOLLOW_UP: _follow_up,
    MERGE: lambda draft, entry, _data: draft.cancel_all(entry.at),
    ESCALATE: _escalate,
    Action.DE_ESCALATE.value: _move_level,
}
