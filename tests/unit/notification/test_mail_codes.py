"""Which refusals of mail servers are about this person or mail, and which about the company's."""

from __future__ import annotations

import pytest

from services.notification_service.gateways.domain.judging import judge_status
from services.notification_service.gateways.domain.mail_codes import (
    enhanced_code,
    is_about_this_mail,
)
from services.notification_service.gateways.domain.port import NotAccepted, Refused

# As Postfix, Exim, qmail, Sendmail, Exchange Online, Gmail and Chinese providers write them.
ABOUT_THE_PERSON = [
    "550 5.1.1 <x@example.com>: Recipient address rejected: User unknown",
    "550 5.1.2 bad destination system",
    "550 5.1.10 null MX",
    "552 5.2.2 mailbox full",
    "550 5.2.1 The email account that you tried to reach is disabled.",
    "550 5.4.1 Recipient address rejected: Access denied.",
    "550 5.7.17 mailbox owner has changed",
    "550 5.5.0 Requested action not taken: mailbox unavailable",
    "552 5.3.4 message size exceeds fixed limit",
    "554 5.6.0 message content is malformed",
    "550 Unrouteable address",
    "550 User not found: x@example.com",
    "551 user not local",
    "554 spam",
    "501 syntax error in address",
]
ABOUT_THE_COMPANY = [
    "554 5.7.1 <x@example.com>: Relay access denied",
    "550 5.7.1 Relaying denied",
    "550 5.7.0 Authentication required",
    "530 5.7.0 Must issue a STARTTLS command first",
    "550 relay not permitted",
    "550 relay not permitted, authentication required",
    "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)",
    "553 authentication is required,smtp8",
    "535 5.7.8 authentication credentials invalid",
    "550 5.7.26 This mail is unauthenticated",
    "550 5.7.606 Access denied, banned sending IP",
    "550 5.1.8 sender address has no A or MX record",
    "550 5.3.0 mail system not accepting",
    "554 5.4.6 routing loop",
    "503 5.5.1 bad sequence of commands",
    "451 4.7.1 try later",
]


def _split(reply: str) -> tuple[int, str]:
    code, _, words = reply.partition(" ")
    return int(code), words


@pytest.mark.parametrize("reply", ABOUT_THE_PERSON)
def test_address_mailbox_and_content_are_about_this_mail(reply: str) -> None:
    assert is_about_this_mail(*_split(reply))


@pytest.mark.parametrize("reply", ABOUT_THE_COMPANY)
def test_relaying_log_in_policy_and_system_can_be_mended(reply: str) -> None:
    assert not is_about_this_mail(*_split(reply))


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("5.1.1 no such user", "5.1.1"),
        ("sorry (#5.7.1)", "5.7.1"),
        ("blocked, see 1.2.3.4", None),
        ("from [10.5.1.1]", None),
        ("no", None),
    ],
)
def test_an_enhanced_code_is_told_from_an_address(words: str, code: str | None) -> None:
    assert enhanced_code(words) == code


@pytest.mark.parametrize(
    ("status", "expected"),
    [(400, Refused), (422, Refused), (401, NotAccepted), (407, NotAccepted), (415, NotAccepted)],
)
def test_a_request_that_the_gateway_takes_from_nobody_is_not_the_persons_fault(
    status: int, expected: type[Exception]
) -> None:
    assert type(judge_status(status, "said")) is expected
