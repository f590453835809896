"""Taking in events: none lost, none doubled, in order, one complaint held back at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial

import pytest
import sqlalchemy as sa

from shared.bus.port import Consumer, LoggedRecord, TopicPartition
from shared.events import topics
from shared.events.base import EventData, Source
from shared.events.complaints import ComplaintAmended
from shared.kernel.errors import Unavailable
from shared.messaging import UnitOfWork, dispatcher, letters
from shared.messaging.batch import BEHIND, Letter
from shared.messaging.tables import outbox
from tests.contract.messaging_kit import (
    Kit,
    changed,
    contacted,
    detected,
    eventually,
    open_kit,
    record_of,
    resolved,
    running,
    started,
)


@pytest.fixture
async def kit(database_url: str) -> AsyncIterator[Kit]:
    async with open_kit(database_url) as opened:
        yield opened


async def take_in(kit: Kit, *, until: int, letters: int = 0) -> None:
    """Run the dispatcher until so many events were heard and so many letters stored."""

    async def enough() -> bool:
        return len(await kit.heard()) >= until and len(await kit.letters.list()) >= letters

    async with running(kit.dispatcher().run):
        await eventually(enough)


async def test_events_reach_their_handler_in_order(kit: Kit) -> None:
    for complaint in ("a", "b"):
        await kit.publish(*(record_of(started(complaint), n) for n in range(1, 4)))

    await take_in(kit, until=6)

    heard = await kit.heard()
    assert [h for h in heard if h[0] == "a"] == [("a", 1), ("a", 2), ("a", 3)]
    assert [h for h in heard if h[0] == "b"] == [("b", 1), ("b", 2), ("b", 3)]


async def test_a_signal_is_heard_once_and_holds_up_only_what_it_is_about(kit: Kit) -> None:
    rising = record_of(detected("hot"), 1)
    await kit.publish(record_of(detected("other"), 2), rising, record_of(started("a"), 1), rising)

    await take_in(kit, until=2, letters=1)

    (letter,) = await kit.letters.list()
    assert sorted(await kit.heard()) == [("a", 1), ("hot", 1)]
    assert (letter.complaint_id, letter.record.topic) == ("other", topics.SIGNALS)


async def test_a_signal_about_another_thing_than_its_key_is_refused(kit: Kit) -> None:
    lying = changed(record_of(detected("hot"), 1), ce_subject=b"cold")
    await kit.publish(lying, record_of(started("a"), 1))

    await take_in(kit, until=1, letters=1)

    (letter,) = await kit.letters.list()
    assert letter.reason == "HotspotDetected: the data is not about the envelope's subject"


async def test_a_service_passes_over_what_it_said_itself(kit: Kit) -> None:
    said = ComplaintAmended(complaint_id="mine", number="N", kind="addition", by="customer")
    await kit.publish(record_of(said, 5), record_of(started("a"), 1))

    async def heard() -> bool:
        return bool(await kit.heard())

    async with running(kit.dispatcher(own=Source.INTAKE).run):
        await eventually(heard)

    assert await kit.heard() == [("a", 1)]
    assert await kit.mark("mine") == 0
    assert await kit.letters.list() == []


async def test_one_call_holds_many_complaints_and_at_most_one_event_of_each(kit: Kit) -> None:
    complaints = [f"c{number}" for number in range(40)]
    records = [record_of(started(c), n) for n in (1, 2) for c in complaints]
    await kit.publish(*records)

    await take_in(kit, until=80)

    assert all(len({c for c, _ in call}) == len(call) for call in kit.container.calls)
    assert max(len(call) for call in kit.container.calls) == 40


async def test_a_repeated_event_is_dropped(kit: Kit) -> None:
    first, second = record_of(started("a"), 1), record_of(started("a"), 2)
    await kit.publish(first, second, first, second, record_of(started("a"), 3))

    await take_in(kit, until=3)

    assert await kit.heard() == [("a", 1), ("a", 2), ("a", 3)]


async def test_ignored_types_move_the_mark_without_being_decoded(kit: Kit) -> None:
    ignored = record_of(resolved("a"), 1)
    broken = type(ignored)(ignored.topic, ignored.key, b"not json", ignored.headers)
    await kit.publish(broken, record_of(started("a"), 2))

    await take_in(kit, until=1)

    assert await kit.heard() == [("a", 2)]
    assert await kit.letters.list() == []


async def test_a_gap_parks_the_complaint_and_no_other(kit: Kit) -> None:
    await kit.publish(
        record_of(started("a"), 2), record_of(started("a"), 3), record_of(started("b"), 1)
    )

    await take_in(kit, until=1, letters=2)

    letters = await kit.letters.list()
    assert await kit.heard() == [("b", 1)]
    assert [letter.sequence for letter in letters] == [2, 3]
    assert letters[0].reason == "a gap: /workflow 1 should come next, not 2"
    assert letters[1].reason == BEHIND


async def test_a_gap_heals_when_the_missing_event_comes_and_is_retried(kit: Kit) -> None:
    await kit.publish(record_of(started("a"), 2), record_of(started("a"), 1))
    await take_in(kit, until=0, letters=2)

    outcome = await kit.letters.retry("a")

    assert (outcome.handled, outcome.waiting) == (2, 0)
    assert await kit.heard() == [("a", 1), ("a", 2)]


async def test_poison_parks_only_its_complaint_and_the_rest_of_the_batch_flows(kit: Kit) -> None:
    kit.container.fail_at[("bad", 2)] = RuntimeError("no")
    await kit.publish(
        *(record_of(started(f"c{n}"), 1) for n in range(20)),
        *(record_of(started("bad"), n) for n in (1, 2, 3)),
        *(record_of(contacted(f"c{n}"), 2) for n in range(20)),
    )

    await take_in(kit, until=41, letters=2)

    heard = await kit.heard()
    assert len(heard) == len(set(heard)) == 41
    assert ("bad", 1) in heard
    assert ("bad", 2) not in heard
    assert [(x.complaint_id, x.sequence) for x in await kit.letters.list()] == [
        ("bad", 2),
        ("bad", 3),
    ]


@pytest.mark.parametrize("failure", [FileNotFoundError("template.j2"), PermissionError("no")])
async def test_an_os_error_of_a_handler_parks_its_complaint_and_no_other(
    kit: Kit, failure: OSError
) -> None:
    kit.container.fail_at[("bad", 1)] = failure
    await kit.publish(record_of(started("bad"), 1), record_of(started("good"), 1))

    await take_in(kit, until=1, letters=1)

    assert await kit.heard() == [("good", 1)]


async def test_the_reason_of_a_failure_does_not_quote_what_customers_wrote(kit: Kit) -> None:
    kit.container.fail_at[("a", 1)] = ValueError("li.na@example.org wrote this")
    await kit.publish(record_of(started("a"), 1))

    await take_in(kit, until=0, letters=1)

    (letter,) = await kit.letters.list()
    assert letter.reason.startswith("ValueError at messaging_kit.py:")


async def test_a_copy_of_the_poison_goes_to_the_dead_letters_topic(kit: Kit) -> None:
    kit.container.fail_at[("a", 1)] = RuntimeError("no")
    await kit.publish(record_of(started("a"), 1))

    async with running(kit.relay().run):
        await take_in(kit, until=0, letters=1)

        async def published() -> bool:
            return await kit.unpublished() == 0

        await eventually(published)

    reader = await kit.bus.reader(
        dict.fromkeys(await kit.bus.end_positions(topics.DEAD_LETTERS), 0)
    )
    (copy,) = await reader.poll(max_records=10, timeout_seconds=1)
    headers = dict(copy.headers)
    assert headers["ce_type"] == b"InvestigationStarted"
    assert headers["redress-reason"].startswith(b"RuntimeError")
    assert headers["redress-group"] == b"redress-listener"


async def test_one_copy_tells_of_a_complaint_and_none_of_what_waits_behind(kit: Kit) -> None:
    kit.container.fail_at[("a", 1)] = RuntimeError("no")
    said = [record_of(started("a"), n) for n in (1, 2, 3)]
    await kit.publish(*said)
    await take_in(kit, until=0, letters=3)

    await kit.publish(*said, record_of(started("b"), 1))
    await take_in(kit, until=1, letters=3)

    assert len(await kit.letters.list()) == 3
    assert await kit.unpublished() == 1


async def test_the_copy_of_a_huge_record_leaves_its_value_out(kit: Kit) -> None:
    said = record_of(started("a"), 1)
    huge = type(said)(said.topic, "a", b"x" * 1_048_000, said.headers)
    await kit.publish(huge)

    await take_in(kit, until=0, letters=1)

    async with kit.database.read() as connection:
        copied = (await connection.scalars(sa.select(outbox.c.value))).all()
    (letter,) = await kit.letters.list()
    assert copied == [b""]
    assert letter.record.value == huge.value


async def test_a_transient_failure_is_tried_again_in_place(kit: Kit) -> None:
    kit.container.fail_at[("a", 1)] = Unavailable("away")
    await kit.publish(record_of(started("a"), 1), record_of(started("a"), 2))

    async with running(kit.dispatcher().run):

        async def tried() -> bool:
            return bool(kit.container.fail_at)

        await eventually(tried)
        kit.container.fail_at.clear()

        async def both() -> bool:
            return len(await kit.heard()) == 2

        await eventually(both)

    assert await kit.heard() == [("a", 1), ("a", 2)]
    assert await kit.letters.list() == []


async def test_retry_releases_everything_that_waited_in_order(kit: Kit) -> None:
    kit.container.fail_at[("a", 2)] = RuntimeError("no")
    await kit.publish(*(record_of(started("a"), n) for n in range(1, 6)))
    await take_in(kit, until=1, letters=4)
    kit.container.fail_at.clear()

    outcome = await kit.letters.retry("a")

    assert (outcome.handled, outcome.waiting) == (4, 0)
    assert await kit.heard() == [("a", n) for n in range(1, 6)]
    await kit.publish(record_of(started("a"), 6))
    await take_in(kit, until=6)


async def test_retry_stops_at_the_next_poison_and_keeps_what_came_before(kit: Kit) -> None:
    kit.container.fail_at[("a", 1)] = RuntimeError("no")
    await kit.publish(*(record_of(started("a"), n) for n in range(1, 5)))
    await take_in(kit, until=0, letters=4)
    kit.container.fail_at = {("a", 3): ValueError("still")}

    outcome = await kit.letters.retry((await kit.letters.list())[0].id)

    letters = await kit.letters.list()
    assert (outcome.handled, outcome.waiting) == (2, 2)
    assert await kit.heard() == [("a", 1), ("a", 2)]
    assert [letter.sequence for letter in letters] == [3, 4]
    assert letters[0].reason.startswith("ValueError")


async def test_drop_gives_up_one_event_and_releases_the_rest(kit: Kit) -> None:
    kit.container.fail_at[("a", 1)] = RuntimeError("no")
    await kit.publish(*(record_of(started("a"), n) for n in range(1, 4)))
    await take_in(kit, until=0, letters=3)

    outcome = await kit.letters.drop((await kit.letters.list())[0].id)

    assert (outcome.handled, outcome.waiting) == (2, 0)
    assert await kit.heard() == [("a", 2), ("a", 3)]
    assert await kit.mark("a") == 3


async def test_only_the_first_that_waits_can_be_dropped(kit: Kit) -> None:
    kit.container.fail_at[("a", 1)] = RuntimeError("no")
    await kit.publish(*(record_of(started("a"), n) for n in range(1, 3)))
    await take_in(kit, until=0, letters=2)
    first, second = await kit.letters.list()

    with pytest.raises(Exception, match=f"dead letter {first.id} first"):
        await kit.letters.drop(second.id)

    assert len(await kit.letters.list()) == 2


async def test_retry_behind_a_gap_handles_nothing_and_says_what_is_missing(kit: Kit) -> None:
    await kit.publish(record_of(started("a"), 2), record_of(started("a"), 3))
    await take_in(kit, until=0, letters=2)

    outcome = await kit.letters.retry("a")

    assert (outcome.handled, outcome.waiting) == (0, 2)
    assert outcome.reason == "a gap: /workflow 1 should come next, not 2"
    assert [x.reason for x in await kit.letters.list()] == [outcome.reason, BEHIND]
    assert await kit.heard() == []


async def test_retry_while_something_needed_is_away_leaves_everything_as_it_is(kit: Kit) -> None:
    kit.container.fail_at[("a", 1)] = RuntimeError("no")
    await kit.publish(record_of(started("a"), 1), record_of(started("a"), 2))
    await take_in(kit, until=0, letters=2)
    before = await kit.letters.list()
    kit.container.fail_at = {("a", 2): Unavailable("away")}

    with pytest.raises(Unavailable, match="away"):
        await kit.letters.retry("a")

    assert await kit.letters.list() == before
    assert await kit.heard() == []


async def test_retry_of_what_is_not_understood_keeps_it_with_its_reason(kit: Kit) -> None:
    good = record_of(started("a"), 1)
    strange = changed(good, ce_type=b"Rumoured")
    await kit.publish(strange, changed(good, ce_sequence=None), record_of(started("b"), 1))
    await take_in(kit, until=1, letters=2)
    before = await kit.letters.list()

    outcomes = [await kit.letters.retry(letter.id) for letter in before]

    assert [(x.handled, x.waiting) for x in outcomes] == [(0, 1), (0, 1)]
    assert [x.reason for x in outcomes] == [letter.reason for letter in before]
    assert await kit.letters.list() == before


async def test_a_letter_is_parked_though_the_database_was_away_when_it_failed(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = [Unavailable("away"), Unavailable("still away")]
    store = letters.store

    async def stored(unit: UnitOfWork, kept: Sequence[Letter], group: str) -> None:
        if kept and away:
            raise away.pop()
        await store(unit, kept, group)

    monkeypatch.setattr(letters, "store", stored)
    kit.container.fail_at[("a", 1)] = RuntimeError("no")
    await kit.publish(*(record_of(started("a"), n) for n in (1, 2)), record_of(started("b"), 1))

    await take_in(kit, until=1, letters=2)

    assert away == []
    assert [letter.sequence for letter in await kit.letters.list()] == [1, 2]
    assert await kit.heard() == [("b", 1)]


@pytest.mark.parametrize(
    ("headers", "value", "reason", "state"),
    [
        ({"ce_type": b"Rumoured"}, None, "no event Rumoured is known", "dead"),
        ({"ce_sequence": None}, None, "header ce_sequence is missing", "dead"),
        ({"ce_sequence": b"soon"}, None, "header ce_sequence is no number", "dead"),
        ({"ce_subject": None}, None, "header ce_subject is missing", "dead"),
        ({"ce_subject": b"a\x00b"}, None, "header ce_subject is not readable", "dead"),
        ({"ce_type": None}, None, "header ce_type is missing", "parked"),
        ({"ce_type": b"a\x00b"}, None, "header ce_type is not readable", "parked"),
        ({"ce_time": b"today"}, None, "a header cannot be read", "parked"),
        ({}, b"{", "InvestigationStarted: the body: Invalid JSON", "parked"),
        ({}, b"{}", "InvestigationStarted: complaint_id: Field required", "parked"),
        ({"ce_dataschema": b"/schemas/InvestigationStarted/9"}, None, "of version 9", "parked"),
    ],
)
async def test_a_record_that_cannot_be_read_is_put_aside_with_its_reason(
    kit: Kit, headers: dict[str, bytes | None], value: bytes | None, reason: str, state: str
) -> None:
    good: EventData = started("a")
    record = changed(record_of(good, 1), **headers)
    record = record if value is None else type(record)(record.topic, "a", value, record.headers)
    await kit.publish(record, record_of(started("b"), 1))

    await take_in(kit, until=1, letters=1)

    (letter,) = await kit.letters.list()
    assert reason in letter.reason
    assert letter.state == state
    assert await kit.heard() == [("b", 1)]


async def test_an_unknown_type_does_not_hold_its_complaint_back(kit: Kit) -> None:
    strange = changed(record_of(started("a"), 1), ce_type=b"Rumoured")
    await kit.publish(strange, record_of(started("a"), 2))

    await take_in(kit, until=1, letters=1)

    assert await kit.heard() == [("a", 2)]


async def test_a_dispatcher_that_starts_again_takes_in_nothing_twice(kit: Kit) -> None:
    await kit.publish(*(record_of(started("a"), n) for n in (1, 2)))
    await take_in(kit, until=2)
    await kit.publish(record_of(started("a"), 3))

    await take_in(kit, until=3)

    assert await kit.heard() == [("a", 1), ("a", 2), ("a", 3)]


async def test_what_a_handler_says_commits_with_what_it_did(kit: Kit) -> None:
    kit.container.answer = True
    await kit.publish(record_of(started("a"), 1))

    await take_in(kit, until=1)

    assert await kit.unpublished() == 1


async def test_positions_are_committed_now_and_then_and_at_the_end(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits: list[Mapping[TopicPartition, int]] = []
    opened = kit.bus.consumer

    async def counted(*, topics: Sequence[str], group: str, member: str) -> Consumer:
        consumer = await opened(topics=topics, group=group, member=member)
        commit = consumer.commit

        async def noted(positions: Mapping[TopicPartition, int]) -> None:
            commits.append(positions)
            await commit(positions)

        monkeypatch.setattr(consumer, "commit", noted)
        return consumer

    monkeypatch.setattr(kit.bus, "consumer", counted)
    monkeypatch.setattr(dispatcher, "_COMMIT_EVERY_SECONDS", 3600)

    async with running(kit.dispatcher().run):
        for sequence in (1, 2, 3):
            await kit.publish(record_of(started("a"), sequence))
            await eventually(partial(heard_so_many, kit, sequence))
        early = list(commits)
    later = await opened(topics=[topics.COMPLAINTS], group="redress-listener", member="other")
    left = await later.poll(max_records=10, timeout_seconds=0.1)

    assert early == []
    assert len(commits) == 1
    assert list(left) == []


async def heard_so_many(kit: Kit, count: int) -> bool:
    return len(await kit.heard()) >= count


async def test_a_service_is_told_of_batches_before_their_turn_and_takes_them_in_order(
    kit: Kit,
) -> None:
    count = 3 * dispatcher.BATCH
    await kit.publish(*(record_of(started("a"), n) for n in range(1, count + 1)))
    told: list[tuple[int, int, int]] = []

    def foresee(_: object, records: Sequence[LoggedRecord]) -> None:
        first, last = (record.envelope.sequence for record in (records[0], records[-1]))
        told.append((first, last, len(kit.container.calls)))

    async def enough() -> bool:
        return len(await kit.heard()) >= count

    async with running(kit.dispatcher(foresee=foresee).run):
        await eventually(enough)

    assert [sequence for _, sequence in await kit.heard()] == list(range(1, count + 1))
    (_, _, none_yet), (from_, to, none_yet_either), *rest = told
    assert (none_yet, none_yet_either) == (0, 0)
    assert (from_, to) == (dispatcher.BATCH + 1, 2 * dispatcher.BATCH)
    assert rest[0][:2] == (2 * dispatcher.BATCH + 1, count)
