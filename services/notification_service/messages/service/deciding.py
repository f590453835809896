"""What an operator decides about messages that machines cannot: send again, or count as sent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum

from services.notification_service.messages.domain.words import State
from services.notification_service.messages.repository import hand_overs as repository
from services.notification_service.messages.repository import listing
from services.notification_service.messages.repository.hand_overs import Standing
from services.notification_service.messages.repository.listing import Listed
from services.notification_service.messages.service.saying import Saying, say
from shared.events.deliveries import NotificationSent
from shared.kernel.errors import Conflict, NotFound
from shared.kernel.ids import new_id
from shared.messaging import Messaging, UnitOfWork


class Decision(StrEnum):
    """What may be decided."""

    RESEND = "resend"
    MARK_SENT = "mark-sent"


_FROM = {
    Decision.RESEND: frozenset({State.UNKNOWN, State.FAILED, State.UNDELIVERED}),
    Decision.MARK_SENT: frozenset({State.UNKNOWN}),
}


class Operators:
    """Carries out operators' decisions; `wake` tells the sender that something is queued."""

    def __init__(
        self, messaging: Messaging, *, wake: Callable[[], None], proof_after: timedelta
    ) -> None:
        self._messaging = messaging
        self._proof_after = proof_after
        self._wake = wake

    async def decide(self, message_id: str, decision: Decision, *, by: str) -> Listed:
        """Do it and write down who decided it; raises NotFound, or Conflict naming the states."""
        async with self._messaging.unit_of_work() as work:
            found = await repository.standing(work.connection, [message_id])
            if message_id not in found:
                raise NotFound("There is no such message.")
            standing = found[message_id]
            if standing.state not in _FROM[decision]:
                allowed = ", ".join(sorted(_FROM[decision]))
                detail = f"The message is {standing.state}; {decision} is for: {allowed}."
                raise Conflict(detail)
            await repository.decided(
                work.connection,
                {
                    "id": new_id(),
                    "notification_id": message_id,
                    "action": decision,
                    "was": standing.state,
                    "by": by,
                    "at": work.now,
                },
            )
            await self._do(work, standing, decision)
            listed = await listing.listed(work.connection, message_id)
        assert listed is not None, "it is locked"
        return listed

    async def _do(self, work: UnitOfWork, standing: Standing, decision: Decision) -> None:
        if decision is Decision.RESEND:
            # Every channel is open again: whoever decides this may have mended an address.
            await repository.resend(work.connection, standing.id, now=work.now)
            if standing.mandatory:
                due_at = work.now + self._proof_after
                await repository.expect_proof(work.connection, standing.id, due_at=due_at)
            work.after_commit(self._wake)
            return
        await repository.mark_sent(work.connection, standing.id, at=work.now)
        said = Saying(NotificationSent, standing, standing.channel, None, work.now)
        await say(work, [said])
