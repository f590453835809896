"""What events do to a fact."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.analytics_service.handlers import REACTIONS
from services.analytics_service.projections.domain.facts import Fact
from services.analytics_service.projections.domain.folding import follow_case, naive, new_fact
from services.analytics_service.projections.domain.stages import set_stages
from shared.events import cases
from shared.events.base import WorkflowEvent
from shared.events.complaints import ComplaintReceived, ComplaintRegraded
from shared.events.envelope import Envelope
from shared.events.registry import decode
from tests.service.analytics.story import BEGAN, Log, Story, id_at


def _told(story: Story) -> Fact:
    """Fold a story as the projector does, without a store."""
    fact: Fact | None = None
    for record in story.log.records:
        envelope = Envelope.from_headers(record.headers)
        data = decode(envelope, record.value)
        if isinstance(data, ComplaintReceived):
            fact = new_fact(data)
            continue
        assert fact is not None
        reaction = REACTIONS.get(type(data))
        if reaction is not None:
            reaction(fact, data, naive(envelope.time))
        if isinstance(data, WorkflowEvent):
            follow_case(fact, data)
    assert fact is not None
    set_stages(fact)
    return fact


def _story() -> Story:
    return Story(Log(), id_at(BEGAN, 1), BEGAN).received()


def _breach(story: Story, clock: str, *, state: str = "assigned") -> Story:
    return story.case(
        cases.ClockBreached, state=state, clock=clock, due_at=story.at, late_seconds=0
    )


def test_an_owner_at_opening_meets_the_assign_clock_at_once() -> None:
    fact = _told(_story().opened(owner="li.na"))

    assert (fact.assign_clock, fact.assigned_at) == ("met", naive(BEGAN))


def test_a_late_reply_leaves_its_clock_breached_and_is_a_reply_all_the_same() -> None:
    story = _breach(_story().opened().after(hours=5), "first_reply")

    fact = _told(story.after(hours=1).case(cases.CustomerContacted, state="assigned"))

    assert fact.first_reply_clock == "breached"
    assert fact.first_reply_at == naive(BEGAN + timedelta(hours=6))


def test_a_resolution_meets_its_clock_and_nobody_waits_for_the_others() -> None:
    story = _story().opened().after(hours=1)

    fact = _told(
        story.case(
            cases.Resolved,
            state="resolved",
            outcome="solved",
            words_id="w",
            next_step="follow_up",
            next_due_at=story.at + timedelta(hours=48),
        )
    )

    assert fact.resolve_clock == "met"
    assert {fact.assign_clock, fact.first_reply_clock, fact.propose_clock} == {"cancelled"}
    assert fact.follow_up_clock == "running"
    assert fact.follow_up_due_at == naive(story.at + timedelta(hours=48))


def test_a_contact_after_the_resolution_meets_the_follow_up() -> None:
    story = _story().opened().after(hours=1)
    story.case(
        cases.Resolved,
        state="resolved",
        outcome="solved",
        words_id="w",
        next_step="follow_up",
        next_due_at=story.at + timedelta(hours=48),
    )

    fact = _told(story.after(hours=30).case(cases.CustomerContacted, state="resolved"))

    assert fact.follow_up_clock == "met"


def test_a_rejection_is_an_answer_in_time_and_no_resolution() -> None:
    fact = _told(
        _story().opened().after(hours=1).case(cases.Rejected, state="rejected", words_id="w")
    )

    assert (fact.resolve_clock, fact.resolved_at, fact.total) == ("met", None, None)
    assert fact.outcome == "rejected"


def test_a_reopened_case_runs_again_and_keeps_an_earlier_breach_on_record() -> None:
    story = _breach(_story().opened().after(days=4), "resolve")
    story.after(hours=1).case(cases.Resolved, state="resolved", outcome="solved", words_id="w")

    fact = _told(
        story.after(hours=1).case(
            cases.Reopened,
            state="assigned",
            round=2,
            next_step="propose",
            next_due_at=story.at + timedelta(days=1),
        )
    )

    assert (fact.resolved_at, fact.total, fact.outcome, fact.reopened) == (None, None, None, 1)
    assert (fact.resolve_clock, fact.resolve_due_at) == ("breached", None)
    assert fact.propose_clock == "running"
    assert fact.propose_due_at == naive(story.at + timedelta(days=1))


def test_an_acknowledgement_after_a_breach_is_known_and_late() -> None:
    story = _breach(_story().opened().after(minutes=1), "acknowledge", state="received")

    fact = _told(story.after(seconds=9).sent())

    assert (fact.acknowledge_clock, fact.to_acknowledge) == ("breached", 69)


def test_a_message_about_something_else_is_no_acknowledgement() -> None:
    fact = _told(_story().opened().sent("resolved"))

    assert (fact.acknowledge_clock, fact.acknowledged_at) == ("running", None)


def test_an_escalation_to_an_owner_is_an_assignment() -> None:
    fact = _told(
        _story()
        .opened()
        .after(minutes=9)
        .case(
            cases.Escalated,
            state="assigned",
            level=1,
            previous_level=0,
            cause="breach",
            owner="zheng.hao",
        )
    )

    assert (fact.escalation_level, fact.assign_clock, fact.to_assign) == (1, "met", 540)


def test_a_clock_of_a_kind_not_known_here_counts_as_a_missed_deadline() -> None:
    fact = _told(_breach(_story().opened(), "next_update"))

    assert fact.breached
    assert not hasattr(fact, "next_update_clock")


def test_a_case_closed_before_it_was_received_has_a_negative_time() -> None:
    story = _story()

    fact = _told(
        story.case(
            cases.CaseImported,
            state="closed",
            priority="P3",
            policy="p/1",
            received_at=BEGAN,
            resolved_at=BEGAN - timedelta(days=2),
        )
    )

    assert fact.total == -2 * 86400


def test_a_clock_that_followed_on_a_missed_one_counts_nothing_twice() -> None:
    first = _breach(_story().opened().after(hours=4), "first_reply")
    due_at = first.at

    fact = _told(_breach(first.after(hours=3), "first_reply"))

    assert (fact.first_reply_clock, fact.first_reply_due_at) == ("breached", naive(due_at))


def test_clocks_that_moved_are_due_at_their_new_times() -> None:
    story = _breach(_story().opened().after(hours=4), "first_reply")
    missed = story.at
    sooner = missed + timedelta(hours=1)
    moved = [{"kind": kind, "due_at": sooner} for kind in ("first_reply", "resolve", "promise")]

    fact = _told(
        story.case(
            cases.ClocksMoved, state="assigned", cause="regrade", priority="P1", clocks=moved
        )
    )

    assert (fact.resolve_clock, fact.resolve_due_at) == ("running", naive(sooner))
    assert (fact.first_reply_clock, fact.first_reply_due_at) == ("breached", naive(missed))


def test_a_merged_complaint_is_filed_and_not_resolved() -> None:
    story = Story(Log(), id_at(BEGAN, 1), BEGAN).received().after(seconds=1)

    fact = _told(
        story.case(
            cases.CaseMerged,
            state="closed",
            into=id_at(BEGAN, 2),
            into_number="7K3F-9Q2M-X",
            department="logistics",
        )
    )

    assert (fact.state, fact.outcome, fact.department) == ("closed", "merged", "logistics")
    assert (fact.resolved_at, fact.total, fact.resolve_clock) == (None, None, None)
    assert fact.closed_at == naive(story.at)


def test_a_case_that_was_handed_down_stands_on_its_lower_level() -> None:
    story = _story().opened(owner="li.na").after(hours=1)
    story.case(cases.Escalated, state="assigned", level=2, previous_level=0, cause="staff")

    story.case(cases.DeEscalated, state="assigned", level=0, previous_level=2, owner="li.na")

    assert _told(story).escalation_level == 0


def test_a_grade_that_was_changed_before_the_case_opened_stands() -> None:
    story = _story()
    regraded = ComplaintRegraded(
        complaint_id=story.complaint_id, number=story.number, decided_by="staff",
        old_category="other", old_severity="moderate", old_urgency="normal", old_priority="P3",
        category="safety.injury", severity="critical", urgency="high", priority="P1",
    )  # fmt: skip
    story.log.say(regraded, story.at)

    fact = _told(story.opened())

    assert (fact.category, fact.priority) == ("safety.injury", "P1")


def test_a_call_after_the_resolution_is_no_first_reply() -> None:
    story = _story().opened(owner="li.na").after(hours=1)
    story.case(cases.Resolved, state="resolved", outcome="solved", words_id="w").after(hours=30)

    fact = _told(story.case(cases.CustomerContacted, state="resolved"))

    assert (fact.first_reply_at, fact.to_first_reply) == (None, None)


def _promised_then_resolved() -> Story:
    """A promise is due before the follow-up, so no event names that as the next step."""
    story = _story().opened(owner="li.na").after(hours=1)
    promised = {"next_step": "promise", "next_due_at": story.at + timedelta(days=9)}
    story.case(cases.Resolved, state="resolved", outcome="solved", words_id="w", **promised)
    return story.after(hours=24)


def test_a_follow_up_that_is_due_after_a_promise_is_waited_for() -> None:
    story = _promised_then_resolved()
    due = story.at + timedelta(days=3)

    fact = _told(story.case(cases.FollowUpDue, state="resolved", due_at=due, round=1))

    assert (fact.follow_up_clock, fact.follow_up_due_at) == ("running", naive(due))


def test_a_follow_up_that_was_met_is_waited_for_again_in_another_round() -> None:
    story = _promised_then_resolved()
    story.case(cases.FollowUpDue, state="resolved", due_at=story.at, round=1)
    story.case(cases.CustomerContacted, state="resolved")
    story.case(cases.Reopened, state="assigned", round=2).after(hours=1)
    story.case(cases.Resolved, state="resolved", outcome="solved", words_id="w").after(hours=24)

    fact = _told(story.case(cases.FollowUpDue, state="resolved", due_at=story.at, round=2))

    assert fact.follow_up_clock == "running"


def test_more_time_moves_a_running_clock_and_no_other() -> None:
    story = _story().opened().after(hours=1)
    later = BEGAN + timedelta(days=9)
    for clock in ("resolve", "assign"):
        if clock == "assign":
            story.case(cases.CaseAssigned, state="assigned", owner="li.na", handovers=0)
        story.case(
            cases.ClockExtended, state="assigned", clock=clock, policy="default/1", due_at=later
        )

    fact = _told(story)

    assert fact.resolve_due_at == naive(later)
    assert fact.assign_due_at == naive(BEGAN + timedelta(hours=1))


@pytest.mark.parametrize("first", ["merged", "told"])
def test_a_merged_complaint_has_no_clock_that_was_met(first: str) -> None:
    story = _story()
    if first == "told":
        story.sent()
    story.case(cases.CaseMerged, state="closed", into="x", into_number="7K3F-9Q2M-X")
    if first == "merged":
        story.sent()

    fact = _told(story)

    assert (fact.acknowledge_clock, fact.acknowledged_at) == (None, naive(BEGAN))
