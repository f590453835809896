"""Before messages are handed over: leave out doubles, and make one digest of what was gathered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from services.notification_service.messages.domain.digest import Item, compose
from services.notification_service.messages.domain.routing import RoutingTable
from services.notification_service.messages.domain.words import Reason
from services.notification_service.messages.repository import standing
from services.notification_service.messages.repository.routing import route_of
from services.notification_service.messages.service.preparing import Hopeless, Ready
from services.notification_service.templates.domain.scene import Rendered
from services.notification_service.templates.service.mail_html import MailPage
from shared.db.database import Database
from shared.events.words import Audience, MessageChannel
from shared.kernel.ids import new_id
from shared.kernel.vault import Vault

DOUBLE_WITHIN = timedelta(minutes=10)


class Doubles:
    """Finds messages that say the same again to the same address."""

    def __init__(self, database: Database, *, vault: Vault, routing: RoutingTable) -> None:
        self._database = database
        self._vault = vault
        self._routing = routing

    async def leave_out(
        self, ready: Sequence[Ready], *, now: datetime
    ) -> tuple[list[Ready], list[Hopeless]]:
        """Return what is to be sent, each with its fingerprint, and the doubles.

        A double has the same words about the same complaint on the same channel to the same address
        as one of the last ten minutes: one person under two names, or one fact said twice.
        """
        marked = [replace(one, fingerprint=self._fingerprint(one)) for one in ready]
        asked = [one for one in marked if self._can_double(one)]
        seen: set[tuple[str, bytes]] = set()
        if asked:
            async with self._database.read() as connection:
                seen = await standing.said_lately(
                    connection,
                    {one.row.complaint_id for one in asked},
                    {one.fingerprint for one in asked},
                    since=now - DOUBLE_WITHIN,
                )
        kept: list[Ready] = []
        doubles: list[Hopeless] = []
        for one in marked:
            same = (one.row.complaint_id, one.fingerprint)
            if same in seen and self._can_double(one):
                doubles.append(Hopeless(one.row, Reason.DUPLICATE, failed=False))
            else:
                seen.add(same)
                kept.append(one)
        return kept, doubles

    def _can_double(self, one: Ready) -> bool:
        """Leave the first message of a kind to a customer unasked, and all that is owed alone."""
        row = one.row
        again = row.occurrence > 1 or row.audience == Audience.STAFF
        return (
            again and row.untouched and not route_of(self._routing, row.route, row.kind).mandatory
        )

    def _fingerprint(self, one: Ready) -> bytes:
        said = f"{one.channel}\0{one.address}\0{one.rendered.subject}\0{one.rendered.text}"
        return self._vault.blind_index("message", said)


class Digests:
    """Makes one e-mail of several messages to the same member of staff."""

    def __init__(self, *, page: MailPage, base_url: str) -> None:
        self._page = page
        self._base_url = base_url

    def bundle(self, ready: Iterable[Ready]) -> list[Ready]:
        """Return messages with those that were gathered for one mailbox put into one.

        The whole is known to the gateway by the digest's own id, on every try the same.
        """
        alone: list[Ready] = []
        mailboxes: dict[tuple[str, str | None, str], list[Ready]] = defaultdict(list)
        for one in ready:
            if one.row.gathered and one.channel is MessageChannel.EMAIL:
                mailboxes[one.row.recipient, one.row.digest_id, one.address].append(one)
            else:
                alone.append(one)
        return alone + [self._one_of(found) for found in mailboxes.values()]

    def _one_of(self, found: list[Ready]) -> Ready:
        first, *others = found
        # One alone is sent as it is, unless it was in a digest before, whose id it keeps.
        if not others and first.row.digest_id is None:
            return first
        items = [
            Item(one.rendered.subject or one.row.number, one.link or self._base_url + _case(one))
            for one in found
        ]
        subject, text = compose(first.locale, items)
        html = self._page.write(first.locale, subject, text)
        return replace(
            first,
            rendered=Rendered(text=text, subject=subject, html=html),
            others=tuple(others),
            digest_id=first.row.digest_id or new_id(),
        )


def _case(one: Ready) -> str:
    return f"/cases/{one.row.number}"
