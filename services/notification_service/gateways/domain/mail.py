"""Put an e-mail together: text first, HTML beside it, our reference as its Message-ID."""

from __future__ import annotations

from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime, parseaddr

from services.notification_service.gateways.domain.port import Outgoing, Refused


def build_mail(message: Outgoing, *, sender: str, readable: bool = False) -> EmailMessage:
    """Build the e-mail of a message.

    `readable` leaves UTF-8 as it is in headers and body, for a file that a person opens; a mail
    server gets ASCII, which every one of them takes. `sender` is `Name <address>`. Raises Refused
    for an address that no mail can be written to.
    """
    policy = SMTPUTF8.clone(linesep="\n") if readable else SMTP
    mail = EmailMessage(policy=policy)
    name, address = parseaddr(sender)
    mail["From"] = Address(display_name=name, addr_spec=address)
    mail["To"] = _recipient(message.address)
    mail["Subject"] = message.subject or message.number
    mail["Date"] = format_datetime(message.created_at)
    mail["Message-ID"] = message_id(message.reference, sender)
    mail["Auto-Submitted"] = "auto-generated"
    encoding = "8bit" if readable else "base64"
    mail.set_content(message.text, cte=encoding)
    if message.html is not None:
        mail.add_alternative(message.html, subtype="html", cte=encoding)
    return mail


def _recipient(address: str) -> Address:
    try:
        return Address(addr_spec=address)
    except (ValueError, IndexError, MessageError) as wrong:
        raise Refused("no mail can be written to this address") from wrong


def message_id(reference: str, sender: str) -> str:
    """Return the Message-ID of a reference: the same on every try, so that readers see it once."""
    domain = parseaddr(sender)[1].rpartition("@")[2]
    return f"<{reference}@{domain}>"
