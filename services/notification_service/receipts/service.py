"""Use cases of receipts: keep what gateways say, and let it have its effect once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from prometheus_client import Counter

from services.notification_service.messages.domain.words import Reason, State
from services.notification_service.messages.repository import hand_overs
from services.notification_service.messages.repository.hand_overs import NewHandOver, Standing
from services.notification_service.messages.service.saying import Saying, say
from services.notification_service.receipts.domain.following import Step, step_for
from services.notification_service.receipts.domain.receipt import Arrival, Receipt
from services.notification_service.receipts.repository import matching
from services.notification_service.receipts.repository.matching import Matched, NewReceipt
from shared.events.deliveries import NotificationDelivered, NotificationSent
from shared.kernel import logging
from shared.kernel.ids import new_id
from shared.messaging import Messaging, UnitOfWork

log = logging.get(__name__)

_BATCH = 200
_STRANGE_AFTER = timedelta(days=3)
_RECEIVED = Counter("redress_receipts_total", "Receipts by gateway", ["gateway", "arrival"])
_MISSING = Counter("redress_receipts_missing_total", "Receipts that did not come", ["channel"])


class ReceiptDesk:
    """Receipts on their way to their messages.

    What comes is only kept; its effect comes afterwards, from the table. So a receipt that
    arrives before the answer to the hand-over was written waits for it, one that arrives twice
    is there once, and a crash between the two loses nothing.
    """

    def __init__(
        self, messaging: Messaging, *, wake_sender: Callable[[], None], proof_after: timedelta
    ) -> None:
        self._messaging = messaging
        self._wake_sender = wake_sender
        self._proof_after = proof_after

    async def take(self, receipts: Sequence[Receipt]) -> int:
        """Keep receipts and return how many are new; they are durable when this returns."""
        now = self._messaging.clock.now()
        rows: dict[tuple[str, str], NewReceipt] = {
            (one.gateway, one.key): {
                "id": new_id(),
                "gateway": one.gateway,
                "key": one.key,
                "reference": one.reference,
                "message_id": one.message_id,
                "arrival": one.arrival,
                "code": one.code,
                "happened_at": one.happened_at,
                "received_at": now,
            }
            for one in receipts
        }
        async with self._messaging.database.write() as connection:
            named = [row["message_id"] for row in rows.values() if row["message_id"] is not None]
            digests = await matching.in_digests(connection, named)
            parts = [part for row in rows.values() for part in _parts(row, digests)]
            new = await matching.keep(connection, parts)
        for row in rows.values():
            _RECEIVED.labels(row["gateway"], row["arrival"]).inc()
        return new

    async def work(self) -> int:
        """Do whatever is to be done; returns how much it was."""
        now = self._messaging.clock.now()
        async with self._messaging.database.read() as connection:
            if not await matching.anything_to_do(connection, now=now):
                return 0
        return await self.apply() + await self.give_up_waiting() + await self.forget_strangers()

    async def forget_strangers(self) -> int:
        """Give up receipts whose message is nobody's here: others may use the same account."""
        async with self._messaging.unit_of_work() as work:
            before = work.now - _STRANGE_AFTER
            found = await matching.forget(work.connection, before=before, at=work.now)
        if found:
            log.warning("receipt.stranger", count=found)
        return found

    async def apply(self) -> int:
        """Let receipts whose message is known have their effect; returns how many had."""
        async with self._messaging.unit_of_work() as work:
            found = await matching.matched(work.connection, now=work.now, limit=_BATCH)
            if not found:
                return 0
            ids = sorted({one.notification_id for one in found})
            standing = await hand_overs.standing(work.connection, ids)
            newest = await matching.latest(work.connection, ids)
            sayings: list[Saying] = []
            done = 0
            for one in found:
                about = standing[one.notification_id]
                if _in_hand(about, work):
                    continue
                done += 1
                standing[one.notification_id], said = await self._follow(
                    work, one, about, newest.get(one.notification_id)
                )
                sayings += said
            await say(work, sayings)
        return done

    async def give_up_waiting(self) -> int:
        """Treat receipts that should have come by now as bad news; returns how many."""
        async with self._messaging.unit_of_work() as work:
            late = await matching.overdue(work.connection, now=work.now, limit=_BATCH)
            if not late:
                return 0
            await matching.missing(work.connection, [one.hand_over_id for one in late])
            ids = sorted({one.notification_id for one in late})
            standing = await hand_overs.standing(work.connection, ids)
            newest = await matching.latest(work.connection, ids)
            for one in late:
                about = standing[one.notification_id]
                is_current = newest.get(one.notification_id) == one.hand_over_id
                _MISSING.labels(one.channel).inc()
                log.warning("receipt.missing", message=about.id, channel=one.channel)
                step = step_for(Arrival.UNDELIVERED, about.state, is_current=is_current)
                if step is Step.FALL_BACK and not _in_hand(about, work):
                    await self._fall_back(work, about, Reason.NO_RECEIPT)
        return len(late)

    async def _follow(
        self, work: UnitOfWork, receipt: Matched, about: Standing, newest: str | None
    ) -> tuple[Standing, list[Saying]]:
        """Do what follows from one receipt; returns where its message stands now."""
        hand_over = receipt.hand_over_id or newest
        done = await matching.applied(
            work.connection, receipt.receipt_id, hand_over_id=hand_over, at=work.now
        )
        if not done:
            return about, []
        is_current = hand_over == newest
        arrival = Arrival(receipt.arrival)
        step = step_for(arrival, about.state, is_current=is_current)
        log.info("receipt.applied", message=about.id, gateway=receipt.gateway, step=step)
        if step is Step.DELIVER:
            return await self._deliver(work, receipt, about, hand_over)
        if step is Step.FALL_BACK:
            code = receipt.code or "no code"
            await self._fall_back(work, about, f"{Reason.UNDELIVERED}: {receipt.gateway} {code}")
            return about._replace(state=State.QUEUED), []
        return about, []

    async def _deliver(
        self, work: UnitOfWork, receipt: Matched, about: Standing, hand_over: str | None
    ) -> tuple[Standing, list[Saying]]:
        channel = about.channel
        at = receipt.happened_at or receipt.received_at
        if hand_over is not None:
            channel = await matching.channel_of(work.connection, hand_over)
        else:
            await hand_overs.add(work.connection, [_unheard_of(receipt, about, at)])
        await hand_overs.arrived(work.connection, about, channel=channel, at=at)
        sayings = [Saying(NotificationDelivered, about, channel, None, work.now)]
        if about.state == State.UNKNOWN:
            # Nobody knew that it was sent, and who waits for that waits for this event.
            sayings.insert(0, Saying(NotificationSent, about, channel, None, work.now))
        return about._replace(state=State.DELIVERED, channel=channel), sayings

    async def _fall_back(self, work: UnitOfWork, about: Standing, reason: str) -> None:
        tried = [*about.tried, *([about.channel] if about.channel else [])]
        await hand_overs.requeue(
            work.connection, about.id, tried=tried, reason=reason[:200], now=work.now
        )
        if about.mandatory:
            due_at = work.now + self._proof_after
            await hand_overs.expect_proof(work.connection, about.id, due_at=due_at)
        work.after_commit(self._wake_sender)


def _parts(row: NewReceipt, digests: Mapping[str, Sequence[str]]) -> Sequence[NewReceipt]:
    """Return one receipt for each message in the mail that it is about: a digest has several."""
    inside = digests.get(row["message_id"] or "")
    if inside is None:
        return [row]
    return [
        {**row, "id": new_id(), "key": f"{row['key']}#{message_id}", "message_id": message_id}
        for message_id in inside
    ]


def _in_hand(about: Standing, work: UnitOfWork) -> bool:
    """Tell whether a sender works on it just now: its result comes first."""
    leased = about.leased_until is not None and about.leased_until > work.now
    return about.state == State.SENDING or leased


def _unheard_of(receipt: Matched, about: Standing, at: datetime) -> NewHandOver:
    """Return the hand-over whose answer was lost: that it took place is known by its receipt."""
    return {
        "id": new_id(),
        "notification_id": about.id,
        "complaint_id": about.complaint_id,
        "channel": about.channel or "none",
        "gateway": receipt.gateway,
        "reference": receipt.reference,
        "address_masked": about.address_masked,
        "digest": None,
        "template": None,
        "handed_over_at": at,
        "receipt_due_at": None,
        "arrival": receipt.arrival,
        "receipt_id": receipt.receipt_id,
    }
