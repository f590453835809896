"""What becomes of a batch, whatever is in it."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.bus.headers import PackedHeaders, pack
from shared.bus.port import LoggedRecord, Record
from shared.events.cases import CustomerContacted, InvestigationStarted
from shared.messaging.batch import LetterState, Plan, plan_batch, read_arrival
from tests.contract.messaging_kit import contacted, record_of, resolved, started

HANDLED = {model.__name__: model for model in (InvestigationStarted, CustomerContacted)}
MAKERS = (started, contacted, resolved)
Said = tuple[str, int, int]
"""Complaint, sequence, and which kind of event."""

said = st.tuples(st.sampled_from("abc"), st.integers(1, 6), st.integers(0, 2))
stories = st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 2)), max_size=40)


def logged(offset: int, record: Record) -> LoggedRecord:
    return LoggedRecord(record.topic, 0, offset, 0, record.key, record.value, record.headers)


def plan(events: list[Said], **known: int) -> Plan:
    arrivals = [
        read_arrival(logged(offset, record_of(MAKERS[kind](complaint), sequence)))
        for offset, (complaint, sequence, kind) in enumerate(events)
    ]
    marks = {(complaint, "/workflow"): sequence for complaint, sequence in known.items()}
    return plan_batch(arrivals, marks=marks, parked=(), handled=HANDLED)


def calls_of(made: Plan) -> list[list[tuple[str, int]]]:
    return [
        [(event.envelope.subject, event.envelope.sequence) for event in events]
        for wave in made.waves
        for events in wave.values()
    ]


@given(stories)
def test_waves_keep_each_complaint_in_order_and_lose_nothing(
    story: list[tuple[str, int]],
) -> None:
    counts: dict[str, int] = defaultdict(int)
    events: list[Said] = []
    for complaint, kind in story:
        counts[complaint] += 1
        events.append((complaint, counts[complaint], kind))

    made = plan(events)

    flat = [one for call in calls_of(made) for one in call]
    for complaint in counts:
        heard = [sequence for key, sequence in flat if key == complaint]
        assert heard == [n for key, n, kind in events if key == complaint and kind < 2]
    assert all(len({key for key, _ in call}) == len(call) for call in calls_of(made))
    assert made.marks == {(key, "/workflow"): count for key, count in counts.items()}
    assert made.letters == []


@given(st.lists(said, max_size=30))
def test_whatever_comes_is_handled_once_in_order_or_kept(events: list[Said]) -> None:
    made = plan(events)

    handled = [one for call in calls_of(made) for one in call]
    parked = {letter.arrival.complaint_id for letter in made.letters}
    assert len(handled) == len(set(handled))
    for complaint in "abc":
        mark = made.marks.get((complaint, "/workflow"), 0)
        heard = [sequence for key, sequence in handled if key == complaint]
        assert heard == sorted(heard)
        assert all(sequence <= mark for sequence in heard)
        # Nothing beyond the mark is forgotten: the complaint waits with what came.
        beyond = [sequence for key, sequence, _ in events if key == complaint and sequence > mark]
        assert not beyond or complaint in parked


@given(st.lists(st.tuples(st.text(max_size=20), st.binary(max_size=20)), max_size=10))
def test_any_headers_are_planned_without_an_exception(headers: list[tuple[str, bytes]]) -> None:
    record = LoggedRecord("t", 0, 0, 0, "k", b"{}", tuple(headers))

    made = plan_batch([read_arrival(record)], marks={}, parked=(), handled=HANDLED)

    assert len(made.letters) + made.duplicates + len(made.marks) >= 1


@given(st.sampled_from(["ce_sequence", "ce_subject", "ce_source", "ce_type"]), st.binary())
def test_a_broken_header_never_passes(name: str, value: bytes) -> None:
    good = record_of(started("a"), 1)
    headers: tuple[tuple[str, bytes], ...] = tuple(
        (key, value if key == name else old) for key, old in good.headers
    )
    record = LoggedRecord(good.topic, 0, 0, 0, good.key, good.value, headers)
    made = plan_batch([read_arrival(record)], marks={}, parked=(), handled=HANDLED)

    if calls_of(made) and value != dict(good.headers)[name]:
        # `int` reads more than digits, such as " 1"; what it reads as 1 is 1.
        assert name == "ce_sequence"
        assert int(value) == 1
    for letter in made.letters:
        assert letter.reason
        assert letter.state in LetterState


@pytest.mark.parametrize("when", [b"0001-01-01T00:00:00+08:00", b"9999-12-31T23:59:59-08:00"])
def test_an_instant_that_utc_has_no_room_for_parks_its_complaint(when: bytes) -> None:
    good = record_of(started("a"), 1)
    headers = tuple((name, when if name == "ce_time" else old) for name, old in good.headers)
    for own in (headers, PackedHeaders(pack(headers))):
        record = LoggedRecord(good.topic, 0, 0, 0, good.key, good.value, own)

        made = plan_batch([read_arrival(record)], marks={}, parked=(), handled=HANDLED)

        [letter] = made.letters
        assert letter.state is LetterState.PARKED
        assert "out of range" in letter.reason
