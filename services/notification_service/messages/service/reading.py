"""Read messages: the list for machines, and the words for who may see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.notification_service.messages.repository import listing
from services.notification_service.messages.repository.listing import Listed, Stored
from services.notification_service.messages.service.sealing import opened
from services.notification_service.recipients.domain.groups import department_of
from services.notification_service.templates.domain.scene import Rendered
from services.notification_service.templates.domain.sms import SmsLength, measure
from shared.db.database import Database
from shared.events.words import MessageChannel
from shared.http.pagination import PageRequest
from shared.kernel.errors import NotFound
from shared.kernel.ids import parse_number
from shared.kernel.vault import Undecryptable, Vault


@dataclass(frozen=True, slots=True)
class Shown:
    """A message as its reader saw it; `rendered` is None where it was erased or never written."""

    stored: Stored
    rendered: Rendered | None

    @property
    def department(self) -> str | None:
        """The department whose leads it is for, while it is not known who they are."""
        return department_of(self.stored.recipient)

    @property
    def preview(self) -> str:
        """The beginning of the words, for a list."""
        if self.rendered is None:
            return ""
        return " ".join((self.rendered.subject or self.rendered.text).split())[:120]

    @property
    def length(self) -> SmsLength | None:
        """How long the SMS is."""
        if self.rendered is None or self.stored.listed.channel != MessageChannel.SMS:
            return None
        return measure(self.rendered.text)


class Archive:
    """What was told to whom."""

    def __init__(self, *, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def page(self, page: PageRequest, filters: Mapping[str, str | None]) -> Sequence[Listed]:
        """Return one page of messages and one row more, newest first."""
        async with self._database.read() as connection:
            return await listing.page(
                connection,
                filters={name: value for name, value in filters.items() if value is not None},
                before=str(page.after[0]) if page.after else None,
                limit=page.fetch,
            )

    async def shown(self, page: PageRequest, about: str) -> Sequence[Shown]:
        """Return one page with words and one row more, about one thing unless `about` is empty."""
        asked = (parse_number(about) or about) if about else None
        before = str(page.after[0]) if page.after else None
        async with self._database.read() as connection:
            rows = await listing.stored_page(
                connection, about=asked, before=before, limit=page.fetch
            )
        return [self._open(row) for row in rows]

    async def one(self, message_id: str) -> Shown:
        """Return one message with its words; raises NotFound."""
        async with self._database.read() as connection:
            row = await listing.stored(connection, message_id)
        if row is None:
            raise NotFound("There is no such message.")
        return self._open(row)

    def _open(self, row: Stored) -> Shown:
        if row.content is None or row.wrapped_key is None:
            return Shown(row, None)
        try:
            return Shown(row, opened(self._vault, row.wrapped_key, row.listed.id, row.content))
        except Undecryptable:
            return Shown(row, None)
