"""The customer's own look at their complaint, by the unguessable token of their link."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from services.intake_service.complaints.repository.reading import Milestone
from services.intake_service.complaints.schemas.elsewhere import OtherCase, Telling
from services.intake_service.complaints.service.amending import (
    Grader,
    NewAddition,
    amend,
    ask_supervisor,
)
from services.intake_service.complaints.service.drafting import token_hash
from services.intake_service.complaints.service.elsewhere import Elsewhere
from services.intake_service.complaints.service.reading import OpenComplaint, Reader
from services.intake_service.customers.service import KeyRing
from shared.kernel.errors import Conflict, NotFound
from shared.messaging import Messaging

_MOST_ADDITIONS = 50
_TOLD_OF = frozenset({"merged", "rejected", "promised", "carried_out"})
"""What passed in a case that has words for its customer since."""


class UnknownLink(NotFound):
    """No complaint is tracked under this token."""

    code = "unknown-tracking-link"
    title = "This link leads to no complaint"


class TooManyAdditions(Conflict):
    """As many additions came by this link as it takes, in case it leaked; staff can add more."""

    code = "too-many-additions"
    title = "Nothing more can be added by this link"


@dataclass(frozen=True, slots=True)
class Earlier:
    """The complaint that another was added to; how it stands where it is the same customer's.

    Never its link: who knows somebody's phone can complain in their name and is answered with the
    link of what they sent. That must not lead to what the other has told us.
    """

    number: str
    status: str | None = None
    next_step: str | None = None
    next_due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Tracked:
    """What a customer's page shows: the complaint, and what other services say of it."""

    complaint: OpenComplaint
    told: Telling
    merged_into: Earlier | None = None
    zone: ZoneInfo | None = None
    """The customer's, as their messages go by it; None: the company's."""


class Tracker:
    """Shows a complaint to its customer and takes what they add."""

    def __init__(
        self,
        messaging: Messaging,
        reader: Reader,
        keys: KeyRing,
        grader: Grader,
        elsewhere: Elsewhere,
    ) -> None:
        self._messaging = messaging
        self._reader = reader
        self._keys = keys
        self._grader = grader
        self._elsewhere = elsewhere

    async def look(self, token: str) -> OpenComplaint:
        """Return a link's complaint; raises UnknownLink, also where its customer was erased."""
        found = await self._reader.by_token(token_hash(token))
        if found is None or found.words is None:
            raise UnknownLink("Please check the link: it must be opened exactly as it was sent.")
        return found

    async def show(self, token: str) -> Tracked:
        """Return all that a link's page shows; raises UnknownLink.

        What no event carries is asked for now: a page never waits for a message to be sent.
        """
        found = await self.look(token)
        stored = found.stored
        told, zone = await asyncio.gather(
            self._elsewhere.telling(stored.id) if _has_words(found) else _nothing(),
            self._elsewhere.zone(stored.customer_id, stored.region),
        )
        root = told.merged_into
        earlier = await self._earlier(root, stored.customer_id) if root else None
        return Tracked(found, told, earlier, zone)

    async def answer_url(self, complaint: OpenComplaint) -> str:
        """Return where a complaint's proposal is answered; raises NotFound and Unavailable."""
        return await self._elsewhere.answer_url(complaint.stored.id)

    async def _earlier(self, root: OtherCase, customer_id: str) -> Earlier:
        for one in await self._reader.many([root.complaint_id]):
            if (found := one.stored).customer_id == customer_id:
                return Earlier(root.number, found.status, found.next_step, found.next_due_at)
        return Earlier(root.number)

    async def add(self, token: str, new: NewAddition) -> None:
        """Append what the customer says; raises UnknownLink and TooManyAdditions."""
        found = await self.look(token)
        if len(found.additions) >= _MOST_ADDITIONS:
            raise TooManyAdditions("Please speak with us: this complaint has too many additions.")
        async with self._messaging.unit_of_work() as uow:
            await amend(uow, self._keys, self._grader, found.stored.id, new)

    async def ask_supervisor(self, token: str) -> tuple[datetime, bool]:
        """Pass the complaint on to the supervisors; returns since when, and whether since now.

        Raises UnknownLink. However much was added before: this door stays open.
        """
        found = await self.look(token)
        async with self._messaging.unit_of_work() as uow:
            return await ask_supervisor(uow, self._keys, self._grader, found.stored.id)


async def _nothing() -> Telling:
    return Telling()


def _has_words(complaint: OpenComplaint) -> bool:
    """Tell whether the case may have words for the customer, or go on in another."""
    passed = {milestone.kind for milestone in complaint.milestones}
    waits = complaint.stored.status == "awaiting_customer"
    return waits or not passed.isdisjoint(_TOLD_OF)


def timeline(complaint: OpenComplaint) -> list[Milestone]:
    """Return what happened, the newest first, from the receipt on.

    What members of staff added stays inside: it is written for colleagues.
    """
    passed = [Milestone("received", complaint.stored.received_at), *complaint.milestones]
    passed += [
        Milestone(f"customer_{added.stored.kind}", added.stored.created_at)
        for added in complaint.additions
        if added.stored.by == "customer"
    ]
    # Sorting is stable: what carries one instant keeps its order, then the whole is turned.
    return sorted(passed, key=lambda milestone: milestone.at)[::-1]
