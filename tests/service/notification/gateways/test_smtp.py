"""E-mail through a real SMTP server on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from deploy.local.ports import free_port
from services.notification_service.gateways.domain.port import (
    GatewayError,
    NotAccepted,
    Outgoing,
    Refused,
    Uncertain,
)
from services.notification_service.gateways.smtp import Smtp, SmtpAddress
from shared.events.words import MessageChannel

SENDER = "红杉商城 <service@example.com>"


@dataclass
class Mailbox:
    """Keeps what arrives; `answers` are given instead, one per mail."""

    answers: list[str] = field(default_factory=list)
    mails: list[bytes] = field(default_factory=list)
    sessions: set[int] = field(default_factory=set)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.startswith("nobody@"):
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        if self.answers:
            return self.answers.pop(0)
        assert isinstance(envelope.original_content, bytes)
        self.mails.append(envelope.original_content)
        self.sessions.add(id(session))
        return "250 OK"


class Login:
    """Lets one user in."""

    def __call__(
        self, server: SMTP, session: Session, envelope: Envelope, how: str, data: object
    ) -> AuthResult:
        known = LoginPassword(b"user", b"right")
        return AuthResult(success=data == known, handled=False)


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def server(mailbox: Mailbox) -> Iterator[SmtpAddress]:
    port = free_port()
    controller = Controller(
        mailbox,
        hostname="127.0.0.1",
        # aiosmtpd probes the port that it was given, so it cannot be asked for any free one.
        port=port,
        authenticator=Login(),
        auth_require_tls=False,
    )
    controller.start()
    yield SmtpAddress("127.0.0.1", port, "none", "user", "right")
    controller.stop()


def message(address: str = "wang@example.com", reference: str = "ref-1") -> Outgoing:
    return Outgoing(
        reference=reference,
        channel=MessageChannel.EMAIL,
        address=address,
        text="您好:\n\n我们收到了。\n",
        subject="您的投诉我们收到了",
        html="<p>我们收到了。</p>",
        number="7K3F-9Q2M-X",
        kind="acknowledgement",
        occurrence=1,
        created_at=datetime(2026, 11, 23, 8, 0, tzinfo=UTC),
    )


async def failure_of(gateway: Smtp, outgoing: Outgoing) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        await gateway.send(outgoing)
    await gateway.close()
    return caught.value


async def test_a_mail_arrives_with_both_parts_and_our_reference(
    server: SmtpAddress, mailbox: Mailbox
) -> None:
    gateway = Smtp(server, sender=SENDER)

    await gateway.send(message())
    await gateway.close()

    (raw,) = mailbox.mails
    assert raw.isascii()
    mail = message_from_bytes(raw, policy=default)
    assert mail["Subject"] == "您的投诉我们收到了"
    assert mail["From"] == SENDER
    assert mail["Message-ID"] == "<ref-1@example.com>"
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert "我们收到了" in text.get_content()
    assert html is not None
    assert html.get_content().startswith("<p>")


async def test_mails_share_a_connection_and_a_closed_one_is_opened_again(
    server: SmtpAddress, mailbox: Mailbox
) -> None:
    gateway = Smtp(server, sender=SENDER, connections=1)

    await gateway.send(message())
    await gateway.send(message(reference="ref-2"))
    assert len(mailbox.sessions) == 1
    await gateway.close()

    again = Smtp(server, sender=SENDER, connections=1)
    await again.send(message(reference="ref-3"))
    await again.close()
    assert len(mailbox.mails) == 3


async def test_an_unknown_address_is_refused_for_good(server: SmtpAddress) -> None:
    failure = await failure_of(Smtp(server, sender=SENDER), message("nobody@example.com"))

    assert isinstance(failure, Refused)
    # The server's words may repeat the address, and reasons stand in events.
    assert failure.reason == "mail server answered 550 5.1.1"


async def test_an_address_that_cannot_be_written_is_refused(server: SmtpAddress) -> None:
    failure = await failure_of(Smtp(server, sender=SENDER), message("a b@@example"))

    assert isinstance(failure, Refused)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [("451 try later", NotAccepted), ("554 spam", Refused)],
)
async def test_the_servers_answer_decides_whether_to_try_again(
    server: SmtpAddress, mailbox: Mailbox, answer: str, expected: type[GatewayError]
) -> None:
    mailbox.answers.append(answer)

    failure = await failure_of(Smtp(server, sender=SENDER), message())

    assert isinstance(failure, expected)


async def test_a_wrong_password_can_be_mended(server: SmtpAddress) -> None:
    wrong = SmtpAddress(server.host, server.port, "none", "user", "wrong")

    failure = await failure_of(Smtp(wrong, sender=SENDER), message())

    assert isinstance(failure, NotAccepted)


async def test_a_server_that_is_away_is_tried_again() -> None:
    away = SmtpAddress("127.0.0.1", 1, "none", None, None)

    failure = await failure_of(Smtp(away, sender=SENDER), message())

    assert isinstance(failure, NotAccepted)


@asynccontextmanager
async def answering(**answers: str | None) -> AsyncIterator[SmtpAddress]:
    """A mail server that answers its greeting, a command or the mail as told; None hangs up."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        said = {"greeting": "220 hello", "data": "354 go on", "quit": "221 bye"} | answers
        step = "greeting"
        while (answer := said.get(step, "250 OK")) is not None:
            writer.write(f"{answer}\r\n".encode())
            if step == "data":
                await reader.readuntil(b"\r\n.\r\n")
                step = "mail_taken"
            elif line := await reader.readline():
                step = line[:4].decode().strip().lower()
            else:
                break
        writer.close()
        await writer.wait_closed()
        over.set()

    over = asyncio.Event()
    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        yield SmtpAddress("127.0.0.1", server.sockets[0].getsockname()[1], "none", None, None)
        await over.wait()


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({"mail_taken": None}, Uncertain),
        ({"mail_taken": "250 OK", "rcpt": None}, NotAccepted),
        ({"greeting": "554 5.7.1 your address is blocked"}, NotAccepted),
        ({"greeting": "421 too many"}, NotAccepted),
        ({"mail": "553 5.7.1 not your sender"}, NotAccepted),
        ({"mail": "530 5.7.0 log in first"}, NotAccepted),
        ({"mail": "552 5.3.4 too large"}, Refused),
        ({"rcpt": "550 5.1.1 no such user"}, Refused),
        ({"rcpt": "450 4.2.0 greylisted"}, NotAccepted),
        ({"rcpt": "554 5.7.1 <wang@example.com>: Relay access denied"}, NotAccepted),
        ({"rcpt": "550 5.7.0 authentication required"}, NotAccepted),
        ({"rcpt": "550 relay not permitted"}, NotAccepted),
        ({"mail_taken": "550 5.7.26 this mail is unauthenticated"}, NotAccepted),
        ({"mail_taken": "552 5.3.4 too large"}, Refused),
    ],
)
async def test_what_an_answer_means_depends_on_what_it_answers(
    answers: Mapping[str, str | None], expected: type[GatewayError]
) -> None:
    async with answering(**answers) as address:
        failure = await failure_of(Smtp(address, sender=SENDER), message())

    assert type(failure) is expected


async def test_a_mail_goes_to_a_domain_in_chinese(server: SmtpAddress, mailbox: Mailbox) -> None:
    gateway = Smtp(server, sender=SENDER)

    await gateway.send(message("wang@例子.公司"))
    await gateway.close()

    (raw,) = mailbox.mails
    assert message_from_bytes(raw, policy=default)["To"] == "wang@xn--fsqu00a.xn--55qx5d"
