"""The customer's own look at their complaint, by the unguessable token of their link."""

from __future__ import annotations

from datetime import datetime

from services.intake_service.complaints.repository.reading import Milestone
from services.intake_service.complaints.service.amending import (
    Grader,
    NewAddition,
    amend,
    ask_supervisor,
)
from services.intake_service.complaints.service.drafting import token_hash
from services.intake_service.complaints.service.reading import OpenComplaint, Reader
from services.intake_service.customers.service import KeyRing
from shared.kernel.errors import Conflict, NotFound
from shared.messaging import Messaging

_MOST_ADDITIONS = 50


class UnknownLink(NotFound):
    """No complaint is tracked under this token."""

    code = "unknown-tracking-link"
    title = "This link leads to no complaint"


class TooManyAdditions(Conflict):
    """A link that leaked must not fill the store."""

    code = "too-many-additions"
    title = "Nothing more can be added by this link"


class Tracker:
    """Shows a complaint to its customer and takes what they add."""

    def __init__(self, messaging: Messaging, reader: Reader, keys: KeyRing, grader: Grader) -> None:
        self._messaging = messaging
        self._reader = reader
        self._keys = keys
        self._grader = grader

    async def look(self, token: str) -> OpenComplaint:
        """Return a link's complaint; raises UnknownLink, also where its customer was erased."""
        found = await self._reader.by_token(token_hash(token))
        if found is None or found.words is None:
            raise UnknownLink("Please check the link: it must be opened exactly as it was sent.")
        return found

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
