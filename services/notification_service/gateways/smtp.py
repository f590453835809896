"""E-mail by SMTP, over a few connections that are kept open."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from email.utils import parseaddr
from typing import Any, Literal
from urllib.parse import parse_qs, unquote, urlsplit

import aiosmtplib
from aiosmtplib.errors import (
    SMTPAuthenticationError,
    SMTPConnectResponseError,
    SMTPException,
    SMTPHeloError,
    SMTPResponseException,
    SMTPSenderRefused,
    SMTPServerDisconnected,
    SMTPTimeoutError,
)

from services.notification_service.gateways.domain.mail import build_mail, in_ascii
from services.notification_service.gateways.domain.mail_codes import (
    enhanced_code,
    is_about_this_mail,
)
from services.notification_service.gateways.domain.port import (
    NotAccepted,
    Outgoing,
    Refused,
    Uncertain,
)
from shared.kernel.errors import ConfigurationError

_TIMEOUT_SECONDS = 20.0
_SETTING = "REDRESS_SMTP_URL"
_UNOPENED = (SMTPAuthenticationError, SMTPConnectResponseError, SMTPHeloError)
_TOO_LARGE = 552
Tls = Literal["starttls", "tls", "none"]


@dataclass(frozen=True, slots=True)
class SmtpAddress:
    """Where the mail server is, and who we are to it."""

    host: str
    port: int
    tls: Tls
    username: str | None
    password: str | None


def read_smtp_url(url: str) -> SmtpAddress:
    """Read `smtp://user:pass@host:587?tls=starttls` or `smtps://…`; raises ConfigurationError.

    Without `tls` port 465 and `smtps` mean TLS from the start, everything else STARTTLS, except
    that loopback may go without.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ConfigurationError(_SETTING, "its host cannot be read") from None
    try:
        port = parts.port
    except ValueError:
        raise ConfigurationError(_SETTING, "the port is no number from 1 to 65535") from None
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise ConfigurationError(_SETTING, "must look like smtp://user:password@host:587")
    port = port or (465 if parts.scheme == "smtps" else 587)
    asked = parse_qs(parts.query, keep_blank_values=True)
    if unknown := set(asked) - {"tls"}:
        raise ConfigurationError(_SETTING, f"knows no parameter {min(unknown)!r}, only tls")
    tls = asked.get("tls", [_usual_tls(parts.scheme, parts.hostname, port)])[-1]
    if tls not in {"starttls", "tls", "none"}:
        raise ConfigurationError(_SETTING, "tls must be starttls, tls or none")
    mode: Tls = "starttls" if tls == "starttls" else "tls" if tls == "tls" else "none"
    return SmtpAddress(
        host=parts.hostname,
        port=port,
        tls=mode,
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
    )


def _usual_tls(scheme: str, host: str, port: int) -> Tls:
    if scheme == "smtps" or port == 465:
        return "tls"
    return "none" if host in {"127.0.0.1", "localhost", "::1"} else "starttls"


class _Client(aiosmtplib.SMTP):
    """Tells a connection that was lost after the mail had left from one lost before.

    Only then the server may have it.
    """

    async def data(self, message: str | bytes, /, **options: Any) -> aiosmtplib.SMTPResponse:
        try:
            return await super().data(message, **options)
        except (SMTPServerDisconnected, SMTPTimeoutError) as failure:
            said = f"mail server did not answer to the mail: {type(failure).__name__}"
            raise Uncertain(said) from failure


class Smtp:
    """Hands e-mails to a mail server.

    Repeatable: the Message-ID is ours and the same on every try, so a mail that was taken twice
    is shown once. Not so the SMS that would follow it: a lost answer is Uncertain.
    """

    repeatable = True

    def __init__(self, server: SmtpAddress, *, sender: str, connections: int = 4) -> None:
        self._server = server
        self._sender = sender
        self._envelope_sender = parseaddr(sender)[1]
        self._idle: asyncio.LifoQueue[aiosmtplib.SMTP] = asyncio.LifoQueue()
        for _ in range(connections):
            self._idle.put_nowait(self._new_client())

    async def send(self, message: Outgoing) -> None:
        """Hand over one e-mail; raises Refused, NotAccepted or Uncertain."""
        mail = build_mail(message, sender=self._sender).as_bytes()
        client = await self._idle.get()
        try:
            await self._hand_over(client, in_ascii(message.address), mail)
        except _UNOPENED as failure:
            # Half logged in, it would be used as it is: the next try begins with a new connection.
            client.close()
            raise _judged(failure) from failure
        except SMTPResponseException as failure:
            raise _judged(failure) from failure
        except aiosmtplib.SMTPRecipientsRefused as failure:
            raise _judged(failure.recipients[0]) from failure
        except (SMTPException, OSError) as failure:
            client.close()
            raise NotAccepted(f"mail server: {type(failure).__name__}") from failure
        finally:
            self._idle.put_nowait(client)

    async def close(self) -> None:
        """Say goodbye on every idle connection."""
        while not self._idle.empty():
            client = self._idle.get_nowait()
            if client.is_connected:
                with contextlib.suppress(SMTPException, OSError):
                    await client.quit()

    async def _hand_over(self, client: aiosmtplib.SMTP, address: str, mail: bytes) -> None:
        if client.is_connected:
            try:
                await client.sendmail(self._envelope_sender, [address], mail)
                return
            except SMTPServerDisconnected:
                # Idle connections are closed by the server: the mail has not left.
                client.close()
        await client.connect()
        await client.sendmail(self._envelope_sender, [address], mail)

    def _new_client(self) -> aiosmtplib.SMTP:
        server = self._server
        return _Client(
            hostname=server.host,
            port=server.port,
            username=server.username,
            password=server.password,
            use_tls=server.tls == "tls",
            start_tls=server.tls == "starttls",
            timeout=_TIMEOUT_SECONDS,
        )


def _judged(failure: SMTPResponseException) -> Refused | NotAccepted:
    # The server's words repeat the address, and reasons stand in events: only its codes are kept.
    enhanced = enhanced_code(failure.message)
    said = f"mail server answered {failure.code}" + (f" {enhanced}" if enhanced else "")
    if isinstance(failure, SMTPSenderRefused):
        # Of the sender's command only the size that it announces is the mail's.
        is_final = failure.code == _TOO_LARGE
    else:
        is_final = type(failure) not in _UNOPENED and is_about_this_mail(
            failure.code, failure.message
        )
    return Refused(said) if is_final else NotAccepted(said)
