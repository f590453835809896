"""The scene of a real complaint, for whoever tries a wording."""

from __future__ import annotations

from services.notification_service.messages.repository import deliveries
from services.notification_service.messages.service.preparing import scene_of
from services.notification_service.recipients.service import Directory
from services.notification_service.templates.domain.scene import Scene
from shared.db.database import Database
from shared.kernel.errors import NotFound


class Rehearsal:
    """Finds out what a message about a complaint would speak of. Nothing is sent or kept."""

    def __init__(self, *, directory: Directory, database: Database) -> None:
        self._directory = directory
        self._database = database

    async def scene(self, complaint_id: str, kind: str, filling: Scene) -> Scene:
        """Return the scene of the last message of a kind; before the first, `filling` about them.

        Raises NotFound and Unavailable.
        """
        contact = (await self._directory.contacts([complaint_id])).get(complaint_id)
        if contact is None:
            raise NotFound("There is no such complaint, or its customer was erased.")
        async with self._database.read() as connection:
            row = await deliveries.latest(connection, complaint_id, kind)
        if row is None:
            about = {"number": contact.number, "category": contact.category}
            if filling.tracking_url is not None:  # one to the customer
                about |= contact.model_dump(include={"name", "description", "tracking_url"})
            return filling.model_copy(update=about)
        asked = str(row.facts.get("words_id", ""))
        words = (await self._directory.words([asked] if asked else [])).get(asked)
        to_customer = contact if filling.tracking_url is not None else None
        return scene_of(row, to_customer, to_customer.name if to_customer else None, words)
