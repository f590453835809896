"""How much one person gets: the rest waits its turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from services.notification_service.gateways.domain.port import Uncertain
from shared.events.cases import (
    CaseAssigned,
    StepCarriedOut,
)
from shared.events.complaints import ComplaintReceived
from tests.service.notification.conftest import MANNERS, Notification, opened
from tests.service.notification.telling import (
    fact,
    known,
    told,
)
from tests.service.notification.test_sending import Scripted, gateways


async def test_too_many_calm_news_wait_their_turn_and_none_is_lost(
    notification: Notification,
) -> None:
    notification.manners = replace(MANNERS, per_hour=4)
    notification.use(gateways())
    complaint = known(notification)
    await notification.hear(complaint, opened(complaint))
    await notification.hear(
        *(fact(StepCarriedOut, complaint, words_id=f"w{n}") for n in range(1, 7))
    )

    await notification.deliver()

    # The acknowledgement counts as well, though it would never have waited.
    assert (await told(notification))[1:] == [
        *[("step", "sent", None)] * 3,
        *[("step", "queued", "rate_limited")] * 3,
    ]

    notification.clock.advance(timedelta(hours=1))
    await notification.deliver()
    assert [state for _, state, _ in await told(notification)] == ["sent"] * 7


async def test_what_may_have_gone_out_counts_from_when_it_may(notification: Notification) -> None:
    sms = Scripted([Uncertain("no answer")] * 4, repeatable=False)
    notification.use(gateways(sms=sms))
    complaint = known(notification)
    await notification.hear(complaint)
    for name in ("w1", "w2", "w3", "w4"):
        await notification.hear(fact(StepCarriedOut, complaint, kind="other", words_id=name))
        await notification.deliver()

    notification.clock.advance(timedelta(minutes=61))
    await notification.hear(fact(StepCarriedOut, complaint, kind="other", words_id="w5"))
    await notification.deliver()

    assert [state for _, state, _ in await told(notification)] == ["unknown"] * 4 + ["sent"]


async def test_the_limit_is_one_persons_over_all_their_complaints(
    notification: Notification,
) -> None:
    notification.manners = replace(MANNERS, per_hour=2)
    notification.use(gateways())
    one = known(notification)
    other = known(notification, customer_id=one.customer_id)
    stranger = known(notification)
    everyone: Sequence[ComplaintReceived] = (one, other, stranger)
    await notification.hear(*everyone)

    await notification.hear(*(fact(CaseAssigned, of) for of in everyone))
    await notification.hear(*(fact(StepCarriedOut, of, words_id="w1") for of in everyone))
    await notification.deliver()

    states = [state for _, state, _ in await told(notification)]
    assert states == ["sent", "sent", "sent", "queued", "queued", "sent"]
