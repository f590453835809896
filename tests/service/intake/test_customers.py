"""The same person by CRM reference, phone or e-mail is one customer."""

from __future__ import annotations

import asyncio

from tests.service.intake.conftest import Running


async def customer_of(intake: Running, **customer: object) -> str:
    answer = await intake.received(customer=customer)
    found = await intake.get(f"/v1/complaints/{answer['id']}")
    customer_id: str = found["customer"]["id"]
    return customer_id


async def test_a_phone_written_in_another_way_is_the_same_customer(intake: Running) -> None:
    first = await customer_of(intake, phone="+86 138 0013 8000")

    again = await customer_of(intake, phone="138-0013-8000")

    assert again == first


async def test_what_a_complaint_brings_anew_belongs_to_the_customer_from_then_on(
    intake: Running,
) -> None:
    first = await customer_of(intake, phone="13800138000")
    await customer_of(intake, phone="13800138000", email="Wang@Example.com")

    by_email = await customer_of(intake, email="wang@example.com")

    assert by_email == first


async def test_the_crm_reference_decides_before_phone_and_email(intake: Running) -> None:
    by_crm = await customer_of(intake, crm_id="C-1")
    by_phone = await customer_of(intake, phone="13800138000")

    both = await customer_of(intake, crm_id="C-1", phone="13800138000", email="w@example.com")

    assert both == by_crm != by_phone
    assert await customer_of(intake, email="w@example.com") == by_crm
    assert await customer_of(intake, phone="13800138000") == by_phone
    candidates = await intake.everything_stored("merge_candidates")
    assert by_crm in candidates
    assert by_phone in candidates


async def test_requests_at_once_from_one_new_person_make_one_customer(intake: Running) -> None:
    ids = await asyncio.gather(*(customer_of(intake, phone="13800138000") for _ in range(20)))

    assert len(set(ids)) == 1


async def test_anonymous_complaints_share_no_customer(intake: Running) -> None:
    first = await customer_of(intake, anonymous=True)

    assert await customer_of(intake, anonymous=True) != first


async def test_the_tier_that_is_known_counts_where_none_is_stated(intake: Running) -> None:
    await intake.received(customer={"crm_id": "C-1", "tier": "vip"}, description="送货慢")
    stranger = await intake.received(customer={"crm_id": "C-2"}, description="送货慢")

    known = await intake.received(customer={"crm_id": "C-1"}, description="送货慢")

    found = await intake.get(f"/v1/complaints/{known['id']}")
    assert found["customer"]["tier"] == "vip"
    assert known["classification"]["priority"] < stranger["classification"]["priority"]


async def test_what_a_customer_gives_later_is_kept_beside_what_is_known(intake: Running) -> None:
    await intake.received(customer={"phone": "13800138000", "name": "王芳"})
    await intake.received(customer={"phone": "13800138000", "email": "wang@example.com"})

    last = await intake.received(customer={"phone": "13800138000"})

    found = await intake.get(f"/v1/complaints/{last['id']}")
    shown = found["customer"]
    assert (shown["name"], shown["email"]) == ("王*", "w***@example.com")


async def test_a_tier_that_a_sender_states_is_the_newest(intake: Running) -> None:
    for tier in ("vip", "gold"):
        await intake.received(customer={"crm_id": "C-1", "tier": tier})

    later = await intake.received(customer={"crm_id": "C-1"})

    found = await intake.get(f"/v1/complaints/{later['id']}")
    assert found["customer"]["tier"] == "gold"
