"""The deadlines of rules from outside, each against the text that it cites."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from services.workflow_service.cases.domain.actions import decide
from services.workflow_service.cases.domain.case import Case
from services.workflow_service.cases.domain.draft import Change
from services.workflow_service.cases.domain.extensions import (
    Extension,
    NotExtendable,
    extend_clock,
)
from services.workflow_service.cases.domain.importing import import_case
from services.workflow_service.cases.domain.lifecycle import Action
from services.workflow_service.cases.domain.reactions import regraded
from services.workflow_service.cases.domain.rules import Rules
from services.workflow_service.clocks.domain.clock import Clock
from services.workflow_service.clocks.domain.policy import PackUse, When
from services.workflow_service.clocks.repository import read_packs
from shared.events.cases import ClockBreached, ClockExtended
from shared.events.words import Channel
from shared.kernel.errors import ConfigurationError, Forbidden, InvalidInput
from tests.unit.workflow.rules import BOOK, RULES, command, complaint, opened, regrading

SHANGHAI, LONDON, NEW_YORK = (
    ZoneInfo("Asia/Shanghai"),
    ZoneInfo("Europe/London"),
    ZoneInfo("America/New_York"),
)


def under(*packs: str | PackUse) -> Rules:
    """Return the rules of a company that is bound by packs."""
    used = tuple(pack if isinstance(pack, PackUse) else PackUse(name=pack) for pack in packs)
    return Rules(
        policy=RULES.policy.model_copy(update={"name": "bound", "packs": used}),
        calendars=BOOK,
        organisation=RULES.organisation,
        packs=read_packs(),
    )


def clock_of(case: Case, kind: str) -> Clock:
    return next(clock for clock in case.clocks if clock.kind == kind)


def received(at: datetime, rules: Rules, **changes: object) -> Case:
    return opened(now=at, rules=rules, received_at=at, **changes)


@pytest.mark.parametrize(
    ("kind", "at", "due"),
    [
        # 自收到投诉之日起七个工作日内: the day of receipt is left out, and the National Day too.
        (
            "cn-market-regulation.acceptance",
            datetime(2026, 9, 28, 10, 0, tzinfo=SHANGHAI),
            datetime(2026, 10, 14, 0, 0, tzinfo=SHANGHAI),
        ),
        # A made-up working day (Saturday 10 October 2026) is a working day.
        (
            "cn-market-regulation.acceptance",
            datetime(2026, 10, 8, 23, 59, tzinfo=SHANGHAI),
            datetime(2026, 10, 18, 0, 0, tzinfo=SHANGHAI) - timedelta(days=1),
        ),
        (
            "cn-market-regulation.mediation",
            datetime(2026, 11, 1, 0, 1, tzinfo=SHANGHAI),
            datetime(2027, 1, 1, 0, 0, tzinfo=SHANGHAI),
        ),
        # 自收到消费投诉之日起15日内, over the end of a leap February.
        (
            "cn-banking-insurance.answer",
            datetime(2024, 2, 20, 9, 0, tzinfo=SHANGHAI),
            datetime(2024, 3, 7, 0, 0, tzinfo=SHANGHAI),
        ),
        (
            "cn-telecoms.answer",
            datetime(2026, 11, 23, 12, 0, tzinfo=SHANGHAI),
            datetime(2026, 12, 9, 0, 0, tzinfo=SHANGHAI),
        ),
        # "by close of business on the third business day following the day on which it is
        # received": over a weekend, and over the Easter holidays of 2026.
        (
            "uk-fca-disp.summary_resolution",
            datetime(2026, 11, 26, 16, 0, tzinfo=LONDON),
            datetime(2026, 12, 1, 17, 0, tzinfo=LONDON),
        ),
        (
            "uk-fca-disp.summary_resolution",
            datetime(2026, 4, 2, 10, 0, tzinfo=LONDON),
            datetime(2026, 4, 9, 17, 0, tzinfo=LONDON),
        ),
        (
            "uk-fca-disp.acknowledgement",
            datetime(2026, 11, 27, 18, 0, tzinfo=LONDON),
            datetime(2026, 11, 30, 17, 0, tzinfo=LONDON),
        ),
        # "by the end of eight weeks after its receipt", over the change of clocks in October.
        (
            "uk-fca-disp.final_response",
            datetime(2026, 9, 10, 10, 0, tzinfo=LONDON),
            datetime(2026, 11, 6, 0, 0, tzinfo=LONDON),
        ),
        (
            "us-cfpb.response",
            datetime(2026, 10, 25, 20, 0, tzinfo=NEW_YORK),
            datetime(2026, 11, 10, 0, 0, tzinfo=NEW_YORK),
        ),
        (
            "us-cfpb.final_response",
            datetime(2026, 10, 25, 20, 0, tzinfo=NEW_YORK),
            datetime(2026, 12, 25, 0, 0, tzinfo=NEW_YORK),
        ),
    ],
)
def test_a_deadline_ends_as_its_rule_says(kind: str, at: datetime, due: datetime) -> None:
    rules = under(kind.split(".", maxsplit=1)[0])

    case = received(at.astimezone(UTC), rules, channel="regulator", tier="vip")

    clock = clock_of(case, kind)
    assert clock.due_at == due
    assert clock.policy == f"{kind.split('.', maxsplit=1)[0]}@1"


def test_every_pack_cites_its_rules_in_both_languages() -> None:
    packs = read_packs()

    assert {pack.name for pack in packs.values()} == {
        "cn-market-regulation",
        "cn-banking-insurance",
        "cn-telecoms",
        "uk-fca-disp",
        "us-cfpb",
    }
    for pack in packs.values():
        for deadline in pack.deadlines:
            assert all((deadline.cites, deadline.says.zh, deadline.says.en, deadline.title.zh))
        assert all((pack.source, pack.checked.zh, pack.checked.en))


NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


def act(case: Case, action: Action, rules: Rules, at: datetime) -> Change:
    return decide(case, command(action, at), now=at, rules=rules)


def test_clocks_of_the_law_run_beside_ours_and_end_by_our_milestones() -> None:
    rules = under("us-cfpb")
    case = received(NOON, rules)

    replied = act(case, Action.RECORD_CONTACT, rules, NOON + timedelta(hours=1)).case
    resolved = act(replied, Action.RESOLVE, rules, NOON + timedelta(hours=2)).case

    assert clock_of(replied, "us-cfpb.response").state == "met"
    assert clock_of(replied, "us-cfpb.final_response").state == "running"
    assert clock_of(resolved, "us-cfpb.final_response").state == "met"


def test_a_resolution_answers_whatever_the_law_still_waited_for() -> None:
    rules = under("us-cfpb")

    rejected = act(received(NOON, rules), Action.REJECT, rules, NOON + timedelta(hours=1)).case

    assert clock_of(rejected, "us-cfpb.response").state == "met"
    assert clock_of(rejected, "us-cfpb.final_response").state == "met"


def test_the_strictest_of_policy_and_law_is_the_next_step() -> None:
    rules = under("us-cfpb")
    case = received(NOON, rules, priority="P4")
    slow = replace(case, clocks=tuple(c for c in case.clocks if "." in c.kind))

    assert slow.next_step() == ("first_reply", clock_of(case, "us-cfpb.response").due_at)


def test_a_pack_can_be_limited_to_some_cases() -> None:
    rules = under(PackUse(name="us-cfpb", when=When(channel=(Channel.REGULATOR,))))

    kinds = {clock.kind for clock in received(NOON, rules, channel="web").clocks}
    of_the_regulator = {clock.kind for clock in received(NOON, rules, channel="regulator").clocks}

    assert "us-cfpb.response" not in kinds
    assert "us-cfpb.response" in of_the_regulator


def test_a_pack_named_twice_for_different_cases_binds_a_case_once() -> None:
    regulator = PackUse(name="us-cfpb", when=When(channel=(Channel.REGULATOR,)))
    rules = under(regulator, PackUse(name="us-cfpb", when=When(region=("US",))))

    both = received(NOON, rules, channel="regulator", region="US-NY")
    second = received(NOON, rules, channel="web", region="US-NY")

    for case in (both, second):
        assert [clock.kind for clock in case.clocks].count("us-cfpb.response") == 1


def test_a_receipt_within_a_second_moves_no_deadline_past_its_day() -> None:
    rules = under("cn-banking-insurance")

    case = received(NOON + timedelta(milliseconds=300), rules)

    midnight = datetime(2026, 12, 9, tzinfo=SHANGHAI).astimezone(UTC)
    assert clock_of(case, BANK).due_at == midnight
    imported = complaint(received_at=NOON + timedelta(milliseconds=300), imported=True)
    assert clock_of(import_case(imported, now=NOON, rules=rules).case, BANK).due_at == midnight


def test_a_rule_that_turns_out_to_apply_counts_from_the_receipt() -> None:
    rules = under(PackUse(name="cn-banking-insurance", when=When(category=("product",))))
    case, later = received(NOON, rules), NOON + timedelta(days=2)

    same = regraded(case, regrading(case, "P3"), at=later, now=later, rules=rules)
    other = regraded(case, regrading(case, "P1"), at=later, now=later, rules=rules)

    assert same is not None
    assert other is not None
    assert BANK not in {clock.kind for clock in same.case.clocks}
    clock = clock_of(other.case, BANK)
    assert (clock.started_at, clock.due_at) == (
        NOON,
        datetime(2026, 12, 9, tzinfo=SHANGHAI).astimezone(UTC),
    )
    again = regraded(other.case, regrading(case, "P1"), at=later, now=later, rules=rules)
    assert again is not None
    assert [one.kind for one in again.case.clocks].count(BANK) == 1


def test_a_case_that_comes_to_a_department_is_bound_by_its_rules() -> None:
    rules = under(PackUse(name="us-cfpb", when=When(department=("billing",))))
    answered = act(received(NOON, rules), Action.RECORD_CONTACT, rules, NOON).case

    to_billing = command(Action.ASSIGN, NOON, owner="wang.min", department="billing")
    moved = decide(answered, to_billing, now=NOON, rules=rules).case

    # The first reply was given before: the rule's response is not waited for any more.
    assert [one.kind for one in moved.clocks if "." in one.kind] == ["us-cfpb.final_response"]


def test_a_clock_of_a_pack_version_whose_file_is_gone_goes_on_by_the_next_one() -> None:
    case = received(NOON, under("cn-banking-insurance"))
    packs = {name: pack for name, pack in read_packs().items() if "banking" not in name}
    newer = read_packs()["cn-banking-insurance@1"].model_copy(update={"version": 2})
    rules = replace(under("cn-banking-insurance"), packs={**packs, newer.label: newer})
    lost = replace(rules, packs=packs)

    clock = clock_of(case, BANK)

    assert rules.name_of(clock) == newer.name_of(BANK)
    assert rules.conduct_of(clock) == newer.deadline(BANK).conduct
    with pytest.raises(ConfigurationError, match="keep the file of every version"):
        lost.conduct_of(clock)


def test_an_open_import_that_is_past_a_deadline_has_missed_it_without_a_word() -> None:
    rules = under("us-cfpb")
    received_at = NOON - timedelta(days=30)

    change = import_case(complaint(received_at=received_at, imported=True), now=NOON, rules=rules)

    assert clock_of(change.case, "us-cfpb.response").state == "breached"
    assert clock_of(change.case, "us-cfpb.final_response").state == "running"
    assert ClockBreached not in {type(said.event) for said in change.said}


def asked(clock: str, until: datetime, *roles: str) -> Extension:
    return Extension(clock, until, "情况复杂，需要鉴定", "r1", "li.na", frozenset(roles))


BANK = "cn-banking-insurance.answer"


@pytest.mark.parametrize(
    ("days", "role", "is_granted"),
    [
        (30, "manager", True),
        (30, "lead", False),
        (60, "manager", False),
        (60, "executive", True),
    ],
)
def test_a_deadline_is_extended_by_whom_the_rule_names(
    days: int, role: str, is_granted: bool
) -> None:
    rules = under("cn-banking-insurance")
    case = received(NOON, rules)
    until = datetime(2026, 11, 24, tzinfo=SHANGHAI).astimezone(UTC) + timedelta(days=days)

    if not is_granted:
        with pytest.raises(Forbidden, match="or above"):
            extend_clock(case, asked(BANK, until, role), now=NOON, rules=rules)
        return
    change = extend_clock(case, asked(BANK, until, role), now=NOON, rules=rules)

    assert clock_of(change.case, BANK).due_at == until
    told = change.said[0].event
    assert isinstance(told, ClockExtended)
    assert (told.clock, told.due_at) == (BANK, until)
    assert [change.why for change in clock_of(change.case, BANK).changes] == ["extension"]


def test_nobody_extends_a_deadline_further_than_its_rule_allows() -> None:
    rules = under("cn-banking-insurance")

    with pytest.raises(InvalidInput, match="no rule allows more"):
        extend_clock(
            received(NOON, rules),
            asked(BANK, NOON + timedelta(days=62), "executive"),
            now=NOON,
            rules=rules,
        )


def test_a_clock_of_ours_is_at_most_doubled_by_a_lead() -> None:
    case = received(NOON, RULES)

    granted = extend_clock(
        case, asked("first_reply", NOON + timedelta(hours=8), "lead"), now=NOON, rules=RULES
    ).case
    with pytest.raises(InvalidInput, match="no rule allows more"):
        extend_clock(
            case, asked("first_reply", NOON + timedelta(hours=9), "lead"), now=NOON, rules=RULES
        )
    with pytest.raises(Forbidden):
        extend_clock(
            case, asked("first_reply", NOON + timedelta(hours=8), "agent"), now=NOON, rules=RULES
        )

    assert clock_of(granted, "first_reply").due_at == NOON + timedelta(hours=8)


def test_more_time_in_which_nothing_counts_is_refused() -> None:
    friday = datetime(2026, 11, 27, 18, tzinfo=SHANGHAI).astimezone(UTC)
    case = received(NOON, RULES)
    until_evening = asked("resolve", friday, "lead")

    closing = extend_clock(case, until_evening, now=NOON, rules=RULES).case

    assert clock_of(closing, "resolve").due_at == friday
    saturday = asked("resolve", friday + timedelta(hours=20), "lead")
    with pytest.raises(InvalidInput, match="no time that counts"):
        extend_clock(closing, saturday, now=NOON, rules=RULES)


def test_a_correction_that_changes_no_target_takes_no_extension_back() -> None:
    case = received(NOON, RULES)
    longer = extend_clock(
        case, asked("first_reply", NOON + timedelta(hours=8), "lead"), now=NOON, rules=RULES
    ).case
    same, urgent = regrade(longer, case.priority), regrade(longer, "P1")

    assert clock_of(same, "first_reply").due_at == NOON + timedelta(hours=8)
    assert clock_of(urgent, "first_reply").due_at == NOON + timedelta(hours=1)


def regrade(case: Case, priority: str) -> Case:
    change = regraded(case, regrading(case, priority), at=NOON, now=NOON, rules=RULES)
    assert change is not None
    return change.case


def test_what_is_past_or_unknown_or_no_longer_runs_gets_no_more_time() -> None:
    case = received(NOON, RULES)
    late = NOON + timedelta(hours=5)
    met = act(case, Action.RECORD_CONTACT, RULES, NOON).case

    with pytest.raises(NotExtendable, match="breached"):
        extend_clock(
            case, asked("acknowledge", late + timedelta(hours=1), "lead"), now=late, rules=RULES
        )
    with pytest.raises(NotExtendable, match="met"):
        extend_clock(met, asked("first_reply", late, "lead"), now=NOON, rules=RULES)
    with pytest.raises(InvalidInput, match="no clock 'frist_reply'"):
        extend_clock(case, asked("frist_reply", late, "lead"), now=NOON, rules=RULES)
    with pytest.raises(InvalidInput, match="must be later"):
        extend_clock(
            case, asked("first_reply", NOON + timedelta(hours=1), "lead"), now=NOON, rules=RULES
        )
