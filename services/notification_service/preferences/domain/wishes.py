"""Which channels a customer's choices leave for a message."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from services.notification_service.preferences.domain.choices import Preferences
from shared.events.words import MessageChannel


class Purpose(StrEnum):
    """What a customer may consent to or refuse."""

    SERVICE = "service"
    SURVEY = "survey"


def channels_left(
    order: Sequence[MessageChannel],
    chosen: Preferences,
    *,
    purpose: Purpose,
    is_owed: bool,
    needs_consent: bool = False,
) -> tuple[MessageChannel, ...]:
    """Return the channels of `order` that may be used, the customer's own choice first.

    A refused channel is left out. What we owe by law or contract is sent all the same: there the
    refused channel only comes last. Where consent is needed, never having been asked is a no.
    """
    wished = sorted(order, key=lambda channel: channel != chosen.channel)
    consent = chosen.consent.survey if purpose is Purpose.SURVEY else chosen.consent.service
    said = {channel: consent.of(channel) for channel in order}
    allowed = [one for one in wished if said[one] or (said[one] is None and not needs_consent)]
    if is_owed:
        return (*allowed, *(one for one in wished if one not in allowed))
    return () if chosen.do_not_contact else tuple(allowed)
