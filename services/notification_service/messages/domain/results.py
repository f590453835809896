"""What a try comes to: from what the gateway said to the message's next state."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.notification_service.messages.domain.retry import MOST_TRIES
from services.notification_service.messages.domain.words import State
from shared.events.words import MessageChannel


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a message is: tries on `channel`, and the channels that were given up.

    `doubtful`: a try on `channel` ended without an answer, so the gateway may have the message.
    """

    channel: MessageChannel | None
    tries: int
    tried: tuple[str, ...] = ()
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """The next state of a message; `next_attempt_at` where it is queued again."""

    state: State
    progress: Progress
    reason: str | None = None
    next_attempt_at: datetime | None = None


def accepted(progress: Progress) -> Result:
    """Return the result of a message that the gateway took."""
    return Result(State.SENT, replace(progress, doubtful=False))


def not_accepted(progress: Progress, reason: str, *, now: datetime, pause: timedelta) -> Result:
    """Try again after a pause; after the last try, take the other channel.

    Unless an earlier try may have gone through: then the person may have the message already.
    """
    if progress.tries >= MOST_TRIES:
        if progress.doubtful:
            return Result(State.UNKNOWN, progress, reason)
        return refused(progress, reason, now=now)
    return Result(State.QUEUED, progress, reason, now + pause)


def refused(progress: Progress, reason: str, *, now: datetime) -> Result:
    """Give the channel up: the message is queued for the other one, if that has an address.

    However doubtful an earlier try was: a gateway that refuses this message to this address now
    did not take it before.
    """
    given_up = (*progress.tried, progress.channel) if progress.channel else progress.tried
    return Result(State.QUEUED, Progress(None, 0, given_up), reason, now)


def uncertain(
    progress: Progress, reason: str, *, repeatable: bool, now: datetime, pause: timedelta
) -> Result:
    """Hand over again only where that cannot double the message; else a person decides.

    No other channel is taken either: the person may have the message already.
    """
    progress = replace(progress, doubtful=True)
    if repeatable and progress.tries < MOST_TRIES:
        return Result(State.QUEUED, progress, reason, now + pause)
    return Result(State.UNKNOWN, progress, reason)
