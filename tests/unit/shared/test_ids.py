"""Complaint numbers and ids."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shared.kernel.ids import new_id, new_number, parse_number

LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def test_a_new_number_reads_back_as_itself() -> None:
    for _ in range(500):
        number = new_number()

        assert parse_number(number) == number
        assert len(number) == 11


@given(st.integers(0, 10), st.sampled_from(LETTERS))
def test_one_wrong_character_is_recognised(place: int, letter: str) -> None:
    number = new_number()
    if number[place] in {"-", letter}:
        return

    assert parse_number(number[:place] + letter + number[place + 1 :]) is None


def test_a_number_is_read_as_people_write_it() -> None:
    number = new_number()

    spoken = number.replace("-", " ").lower().replace("0", "o").replace("1", "l")

    assert parse_number(spoken) == number


def test_what_is_no_number_is_none() -> None:
    for text in ("", "7K3F", "7K3F-9Q2M-XX", "7K3F-9Q2M-U", "你好你好你好你好你"):
        assert parse_number(text) is None


def test_later_ids_sort_after_earlier_ones() -> None:
    ids = [new_id() for _ in range(1000)]

    assert ids == sorted(ids)
