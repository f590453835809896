"""The gateway until one is configured: every message a readable file in `<home>/outbox/`."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from services.notification_service.gateways.domain.mail import readable_mail
from services.notification_service.gateways.domain.port import NotAccepted, Outgoing
from shared.events.words import MessageChannel


class FileOutbox:
    """Writes messages as UTF-8 files: SMS as `.txt`, e-mails as `.eml`.

    A file's name follows from the message alone, so writing it again replaces the same file.
    Names sort by time. Files can be read by their owner only: they hold the address in clear.
    """

    repeatable = True

    def __init__(self, folder: Path, *, sender: str) -> None:
        self._folder = folder
        self._sender = sender

    async def send(self, message: Outgoing) -> None:
        """Write the file at once as a whole; raises NotAccepted where the disk refuses."""
        try:
            await asyncio.to_thread(self._write, message)
        except OSError as failure:
            raise NotAccepted(f"{self._folder}: {failure.strerror}") from failure

    async def close(self) -> None:
        """Do nothing: no file stays open."""

    def _write(self, message: Outgoing) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / file_name(message)
        draft = path.with_name(f".{path.name}.part")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(self._bytes(message))
        # No fsync: this stands in for a gateway on a developer's machine, and the message
        # itself lies in the database.
        draft.replace(path)

    def _bytes(self, message: Outgoing) -> bytes:
        if message.channel is MessageChannel.EMAIL:
            return readable_mail(message, sender=self._sender)
        return f"To: {message.address}\n\n{message.text}\n".encode()


def file_name(message: Outgoing) -> str:
    """Return `TIME_NUMBER_KIND-OCCURRENCE_CHANNEL_REFERENCE.txt` (or `.eml`).

    What is about no complaint has no number there.
    """
    time = message.created_at.strftime("%Y%m%dT%H%M%S.%fZ")
    ending = "eml" if message.channel is MessageChannel.EMAIL else "txt"
    number = f"{message.number}_" if message.number else ""
    about = f"{number}{message.kind}-{message.occurrence}"
    return f"{time}_{about}_{message.channel}_{message.reference[-8:]}.{ending}"
