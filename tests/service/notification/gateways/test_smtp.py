"""E-mail through a real SMTP server on loopback."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from services.notification_service.gateways.domain.port import (
    GatewayError,
    NotAccepted,
    Outgoing,
    Refused,
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
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
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
