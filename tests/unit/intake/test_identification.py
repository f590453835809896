"""Who a complaint's identities mean."""

from __future__ import annotations

from services.intake_service.customers.domain.contact import Contact, IdentityKind
from services.intake_service.customers.domain.identification import Identity, identify, recognise

CRM = Identity(IdentityKind.CRM, b"crm")
PHONE = Identity(IdentityKind.PHONE, b"phone")
EMAIL = Identity(IdentityKind.EMAIL, b"email")


def test_nobody_known_leaves_everything_unclaimed() -> None:
    match = identify((CRM, PHONE), {})

    assert match.customer_id is None
    assert match.unclaimed == (CRM, PHONE)


def test_the_strongest_identity_decides_and_the_other_owner_is_a_candidate() -> None:
    match = identify((CRM, PHONE, EMAIL), {b"crm": "one", b"email": "two"})

    assert match.customer_id == "one"
    assert match.unclaimed == (PHONE,)
    assert match.others == ("two",)


def test_one_owner_of_several_identities_is_no_candidate() -> None:
    match = identify((PHONE, EMAIL), {b"phone": "one", b"email": "one"})

    assert match.others == ()


def test_email_addresses_are_compared_without_case() -> None:
    identities = list(Contact(email="Wang@Example.COM").identities())

    assert identities == [(IdentityKind.EMAIL, "wang@example.com")]


def test_what_a_complaint_brings_counts_for_the_next_one() -> None:
    known = {b"email": "one"}

    assert list(recognise([(PHONE,), (PHONE, EMAIL), (EMAIL,)], known)) == [None, None, "one"]
    assert list(recognise([(PHONE, EMAIL), (PHONE,), (CRM,)], known)) == ["one", "one", None]
