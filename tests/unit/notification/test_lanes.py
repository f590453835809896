"""A slow gateway lets the queue wait; one that hangs keeps nobody else's messages there."""

from __future__ import annotations

from services.notification_service.messages.domain.lanes import (
    FULL,
    MOST,
    STALLED_SECONDS,
    Lanes,
)
from shared.events.words import MessageChannel

SMS, EMAIL = MessageChannel.SMS, MessageChannel.EMAIL


def filled(count: int) -> Lanes:
    lanes = Lanes()
    for _ in range(count):
        lanes.began(SMS, now=100.0)
    return lanes


def test_a_full_lane_that_moves_is_slow() -> None:
    lanes = filled(FULL + 1)
    assert lanes.is_slow(now=100.0 + STALLED_SECONDS / 2)

    lanes.ended(SMS, now=150.0)

    assert lanes.is_slow(now=150.0 + STALLED_SECONDS / 2)


def test_a_lane_with_room_is_not_slow() -> None:
    assert not filled(FULL - 1).is_slow(now=100.0)


def test_a_full_lane_that_does_not_move_hangs_and_holds_up_nothing() -> None:
    lanes = filled(FULL)

    assert not lanes.is_slow(now=100.0 + STALLED_SECONDS)


def test_more_messages_do_not_make_a_hanging_lane_move() -> None:
    lanes = filled(FULL)

    lanes.began(SMS, now=200.0)

    assert not lanes.is_slow(now=200.0)


def test_a_lane_that_was_empty_begins_to_move_with_its_first_message() -> None:
    lanes = filled(1)
    lanes.ended(SMS, now=101.0)

    for _ in range(FULL):
        lanes.began(SMS, now=500.0)

    assert lanes.is_slow(now=500.0)


def test_each_lane_has_a_room_of_its_own() -> None:
    lanes = filled(MOST)

    assert lanes.room()[SMS] == 0
    assert lanes.room()[EMAIL] == MOST
