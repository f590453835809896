"""How contact details are read and masked."""

from __future__ import annotations

import pytest

from services.intake_service.customers.domain.masking import mask_email, mask_name, mask_phone
from services.intake_service.customers.schemas import read_email, read_phone


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("+86 138 0013 8000", "+8613800138000"),
        ("138-0013-8000", "+8613800138000"),
        ("008613800138000", "+8613800138000"),
        ("１３８００１３８０００", "+8613800138000"),
        ("021-6234 5678", "+862162345678"),
        ("+1 555 123 4567", "+15551234567"),
        ("+44 20 7946 0958", "+442079460958"),
    ],
)
def test_phone_numbers_become_e164(written: str, stored: str) -> None:
    assert read_phone(written, default_region="CN") == stored


@pytest.mark.parametrize(
    "written", ["00000000000", "00000000", "+1 000 000 0000", "11111111111", "12345678901"]
)
def test_what_is_typed_where_there_is_no_number_is_none(written: str) -> None:
    with pytest.raises(ValueError, match=r"zeros|length|13 to 19"):
        read_phone(written, default_region="CN")


@pytest.mark.parametrize("written", ["abc", "12345", "+86 123", "13800138000138", "", "+"])
def test_what_cannot_be_dialled_is_no_phone_number(written: str) -> None:
    with pytest.raises(ValueError, match=r"phone|length|mobile"):
        read_phone(written, default_region="CN")


@pytest.mark.parametrize("written", ["wang@example.com", "w.f+x@sub.example.cn", " a@b.cn "])
def test_addresses_are_trimmed(written: str) -> None:
    assert read_email(written) == written.strip()


def test_an_address_is_the_same_however_its_letters_are_composed() -> None:
    assert read_email("e\u0301@example.com") == read_email("\xe9@example.com") == "\xe9@example.com"


@pytest.mark.parametrize("written", ["wang", "@b.cn", "a@b", "a b@c.cn", "a@b..cn", "a@-b.cn"])
def test_what_is_no_address_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="e-mail"):
        read_email(written)


def test_masks_keep_what_helps_to_recognise() -> None:
    assert mask_phone("+8613800138000") == "138****8000"
    assert mask_phone("+15551234567") == "+15****4567"
    assert mask_name("欧阳娜娜") == "欧***"
    assert mask_email("wang@example.com") == "w***@example.com"
    assert mask_phone(None) is None
