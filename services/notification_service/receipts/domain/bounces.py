"""Read what mail servers send back: delivery status notifications (RFC 3464)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from email.policy import compat32

from services.notification_service.receipts.domain.receipt import Arrival, Receipt

# `delayed`, `relayed` and `expanded` are no last word.
_ARRIVALS = {"failed": Arrival.UNDELIVERED, "delivered": Arrival.DELIVERED}
_OURS = re.compile(r"<([0-9a-f-]{36})@[^<>\s]+>")
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")


def read_bounces(raw: bytes) -> list[Receipt]:
    """Return what a notification says of our mails; raises ValueError where it is none.

    Our reference is the left part of the Message-ID, which the returned headers repeat.
    """
    # The newer policy takes headers apart, and fails at what other servers write into them.
    mail = message_from_bytes(raw, policy=compat32)
    statuses = [part for part in mail.walk() if part.get_content_type() == _REPORT]
    if not statuses:
        raise ValueError("has no part message/delivery-status")
    reference = _reference(mail)
    if reference is None:
        raise ValueError("does not return the headers of a mail of ours")
    return [
        Receipt("smtp", arrival, message_id=reference, code=code)
        for status in statuses
        for arrival, code in _of_recipients(status)
    ]


_REPORT = "message/delivery-status"
_RETURNED = frozenset({"message/rfc822", "text/rfc822-headers", "message/global"})


def _of_recipients(status: Message) -> Iterator[tuple[Arrival, str | None]]:
    """Yield what each recipient's group of fields says; ours has one recipient."""
    groups = status.get_payload()
    for group in groups if isinstance(groups, list) else []:
        if isinstance(group, Message):
            action = str(group.get("Action", "")).strip().lower()
            found = _STATUS.search(str(group.get("Status", "")))
            if action in _ARRIVALS:
                yield _ARRIVALS[action], found[0] if found else None


def _reference(mail: Message) -> str | None:
    for part in mail.walk():
        if part.get_content_type() in _RETURNED:
            found = _OURS.search(_message_id(part))
            if found is not None:
                return found[1]
    return None


def _message_id(part: Message) -> str:
    payload = part.get_payload()
    if isinstance(payload, list) and payload and isinstance(payload[0], Message):
        return str(payload[0].get("Message-ID", ""))
    text = part.get_payload(decode=True)
    headers = message_from_bytes(text if isinstance(text, bytes) else b"", policy=compat32)
    return str(headers.get("Message-ID", ""))
