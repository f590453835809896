"""A second complaint about the same matter is linked to the first."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import Select, select, text

from services.intake_service.complaints.domain.new_complaint import NewComplaint, References
from services.intake_service.complaints.service import Recorder
from services.intake_service.complaints.service.planning import Accepted, Known
from services.intake_service.complaints.service.preparing import Preparer
from services.intake_service.complaints.service.recording import RecordingTools
from services.intake_service.customers.domain.contact import Contact
from services.intake_service.customers.models import customers
from tests.harness.databases import MakeMigratedUrl
from tests.service.intake.conftest import NOW, Running, running

WANG = {"phone": "13800138000"}
LATER = timedelta(days=40)


async def complain(
    intake: Running,
    *,
    customer: dict[str, Any] | None = None,
    category: str = "logistics.short",
    **references: str,
) -> dict[str, Any]:
    return await intake.received(
        customer=customer or WANG, category=category, references=references
    )


@pytest.mark.parametrize("reference", ["order", "contract", "product"])
async def test_the_same_thing_again_is_linked_whenever_it_comes(
    intake: Running, reference: str
) -> None:
    async def about(named: str, category: str) -> dict[str, Any]:
        references = {reference: named}
        return await intake.received(customer=WANG, category=category, references=references)

    first = await about("A-1", "logistics.short")
    intake.clock.advance(LATER)

    again = await about("A-1", "billing.refund")
    other = await about("A-2", "service.attitude")

    assert (first["repeat_of"], again["repeat_of"], other["repeat_of"]) == (None, first["id"], None)
    assert (await intake.get(f"/v1/complaints/{again['number']}"))["repeat_of"] == first["id"]


async def test_the_event_says_what_it_repeats_and_not_the_reference(intake: Running) -> None:
    first = await complain(intake, order="A-1029")

    again = await complain(intake, order="a-1029")

    (record,) = await intake.events(again["id"], count=1)
    assert orjson.loads(record.value)["repeat_of"] == first["id"]
    assert b"1029" not in record.value
    assert "1029" not in await intake.everything_stored("complaints")


async def test_the_same_category_counts_for_thirty_days(intake: Running) -> None:
    first = await complain(intake, order="A-1")
    intake.clock.advance(timedelta(days=29))
    soon = await complain(intake)
    intake.clock.advance(timedelta(days=29))
    chained = await complain(intake)
    intake.clock.advance(timedelta(days=31))

    late = await complain(intake)

    assert soon["repeat_of"] == chained["repeat_of"] == first["id"]
    assert late["repeat_of"] is None


async def test_orders_that_differ_are_two_matters_and_other_is_none(intake: Running) -> None:
    await complain(intake, order="A-1")

    another_order = await complain(intake, order="A-2")
    at_once = await asyncio.gather(
        complain(intake, order="B-1", category="billing.refund"),
        complain(intake, order="B-2", category="billing.refund"),
    )
    nothing_said = [await complain(intake, category="other") for _ in range(2)]

    assert another_order["repeat_of"] is None
    assert [one["repeat_of"] for one in (*at_once, *nothing_said)] == [None] * 4


async def test_a_category_that_was_overruled_counts_as_it_is_now(intake: Running) -> None:
    first = await complain(intake, category="logistics.short")
    decided = {"category": "billing.refund", "why": "money, not goods"}
    await intake.post(f"/v1/complaints/{first['id']}/classification", decided)

    as_it_was = await complain(intake, category="logistics.short")
    as_it_is = await complain(intake, category="billing.refund")

    assert as_it_was["repeat_of"] is None
    assert as_it_is["repeat_of"] == first["id"]


async def test_a_matter_known_only_from_a_repeat_leads_to_the_first_complaint(
    intake: Running,
) -> None:
    first = await complain(intake, order="A-1")
    await complain(intake, category="billing.refund", order="A-1", product="SKU-1")
    intake.clock.advance(LATER)

    third = await complain(intake, category="product.quality", product="SKU-1")

    assert third["repeat_of"] == first["id"]


async def test_where_two_matters_meet_the_older_is_kept(intake: Running) -> None:
    older = await complain(intake, category="logistics.short", order="A-1")
    newer = await complain(intake, category="billing.refund", contract="K-1")
    intake.clock.advance(LATER)

    both = await complain(intake, category="product.quality", order="A-1", contract="K-1")

    assert newer["repeat_of"] is None
    assert both["repeat_of"] == older["id"]


async def test_another_customer_with_the_same_order_is_no_repeat(intake: Running) -> None:
    await complain(intake, order="A-1")

    other = await complain(intake, customer={"phone": "13900139000"}, order="A-1")
    nobody = await complain(intake, customer={"anonymous": True}, order="A-1")
    nobody_again = await complain(intake, customer={"anonymous": True}, order="A-1")

    assert other["repeat_of"] is nobody["repeat_of"] is nobody_again["repeat_of"] is None


async def test_the_customer_is_known_by_whatever_they_gave_before(intake: Running) -> None:
    first = await complain(intake, customer=WANG | {"email": "wang@example.com"}, order="A-1")

    again = await complain(intake, customer={"email": "Wang@example.com"}, order="A-1")

    assert again["repeat_of"] == first["id"]


async def test_of_complaints_that_come_together_one_is_the_first(intake: Running) -> None:
    answers = await asyncio.gather(*(complain(intake, order="A-1") for _ in range(20)))

    firsts = [answer["id"] for answer in answers if answer["repeat_of"] is None]
    assert len(firsts) == 1
    assert {answer["repeat_of"] for answer in answers} == {None, firsts[0]}


async def test_a_new_customer_does_not_repeat_another_who_is_named_beside_them(
    intake: Running,
) -> None:
    wang, new = {"email": "wang@example.com"}, {"phone": "13900139000"}
    first = await complain(intake, customer=wang, order="A-1")

    # The first of these is written alone, and the others then wait for one group.
    who = [(WANG, "C-1"), (new, "B-1"), (new | wang, "A-1")]
    answers = await asyncio.gather(
        *(complain(intake, customer=customer, order=order) for customer, order in who)
    )

    assert first["id"] not in [answer["repeat_of"] for answer in answers]
    about = [await intake.get(f"/v1/complaints/{one['id']}") for one in (first, *answers)]
    assert len({one["customer"]["id"] for one in about}) == 3, "two of them are one person's"


async def test_an_answer_that_is_given_again_says_the_same(intake: Running) -> None:
    first = await complain(intake, order="A-1")
    body = {
        "channel": "web", "description": "again", "customer": WANG,
        "references": {"order": "A-1"}, "source": {"system": "shop", "id": "7"},
    }  # fmt: skip

    again = await intake.post("/v1/complaints", body)
    once_more = await intake.post("/v1/complaints", body)

    assert (again.status_code, once_more.status_code) == (201, 200)
    assert again.json()["repeat_of"] == once_more.json()["repeat_of"] == first["id"]


async def test_two_intakes_at_once_link_the_complaints_of_a_known_customer(
    intake: Running,
) -> None:
    await complain(intake, category="service.attitude")
    recorders = [another(intake), another(intake)]

    for order in range(20):
        outcomes = await asyncio.gather(
            *(one.record(live(f"A-{order}")) for one in recorders for _ in range(3))
        )

        firsts = {outcome.repeat_of for outcome in outcomes if isinstance(outcome, Accepted)}
        assert len(firsts) == 2, "five are linked to the sixth"
        assert None in firsts
        intake.clock.advance(LATER)


async def test_a_group_that_waits_for_one_who_waits_for_it_is_written_all_the_same(
    migrated_postgres_url: MakeMigratedUrl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(migrated_postgres_url("intake"), tmp_path, monkeypatch) as intake:
        first = await complain(intake, customer={"crm_id": "C-1"}, order="A-1")
        second = await complain(intake, customer={"crm_id": "C-2"}, order="A-2")
        one, other = [
            (await intake.get(f"/v1/complaints/{answer['id']}"))["customer"]["id"]
            for answer in (first, second)
        ]

        async with intake.parts.messaging.database.write() as theirs:
            await theirs.execute(hold(other))
            again = asyncio.gather(
                complain(intake, customer={"crm_id": "C-1"}, order="A-1"),
                complain(intake, customer={"crm_id": "C-2"}, order="A-2"),
            )
            await until_somebody_waits(intake)
            await theirs.execute(hold(one))
        answers = await again

    assert [answer["repeat_of"] for answer in answers] == [first["id"], second["id"]]


async def test_what_is_imported_is_linked_to_but_not_itself_linked(intake: Running) -> None:
    rows = [live("A-1", imported=True), live("A-1", imported=True)]

    preparer = Preparer(keys=intake.parts.keys, classifier=intake.parts.triage)
    now = intake.parts.messaging.clock.now()
    drafts = preparer.drafts(rows, now=now, traceparent=None)
    batch = preparer.prepare(drafts, known=Known(), now=now)
    assert await intake.parts.recorder.record_prepared(batch) is None
    again = await complain(intake, order="A-1")

    ids = [outcome.complaint_id for outcome in batch.outcomes]
    found = [await intake.get(f"/v1/complaints/{id_}") for id_ in ids]
    assert [one["repeat_of"] for one in found] == [None, None]
    assert again["repeat_of"] == ids[0]


def hold(customer_id: str) -> Select[Any]:
    return select(customers.c.id).where(customers.c.id == customer_id).with_for_update()


async def until_somebody_waits(intake: Running) -> None:
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    async with asyncio.timeout(20):
        while True:
            async with intake.parts.messaging.database.read() as connection:
                if await connection.scalar(waiting):
                    return
            await asyncio.sleep(0.01)


def live(order: str, *, imported: bool = False) -> NewComplaint:
    return NewComplaint(
        channel="web",
        description="late",
        contact=Contact(phone="+8613800138000"),
        references=References(order=order),
        category="logistics.late",
        received_at=NOW if imported else None,
        imported=imported,
    )


def another(intake: Running) -> Recorder:
    """Make what another process has: a committer that knows nothing of the first."""
    parts = intake.parts
    return Recorder(
        RecordingTools(parts.messaging, parts.keys, parts.triage, parts.links, timedelta(days=30))
    )
