"""What a mail server's refusal is about: this person or this mail, or how mail is sent at all.

Enhanced status codes (RFC 3463, the IANA registry of RFC 5248) say it by their subject; the basic
codes (RFC 5321) do not, since 550 stands for "no such mailbox" and "relaying denied" alike.
"""

from __future__ import annotations

import re

_ENHANCED = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?!\.?\d)")

_ADDRESS, _MAILBOX, _SYSTEM, _NETWORK, _PROTOCOL, _CONTENT, _POLICY = "1234567"
_OF_THE_MAIL = frozenset({_ADDRESS, _MAILBOX, _CONTENT})
_OF_THE_COMPANY = frozenset({_SYSTEM, _NETWORK, _PROTOCOL, _POLICY})
# Details that say otherwise than their subject.
_SENDERS_ADDRESS = frozenset({"1.7", "1.8", "1.9"})
_ABOUT_THIS_MAIL = frozenset(
    {
        "3.4",  # too big for the system
        "4.1",  # how Exchange Online says that there is no such recipient
        "5.0",  # how Outlook.com says it
        "7.13",  # the user's account is disabled (RFC 7293 has the next two)
        "7.17",  # the mailbox has another owner now
        "7.18",  # so has the domain
    }
)
# Commands out of order or unknown, and log-ins that are missing, too weak, wrong or unencrypted.
_OUR_SIDE = frozenset({500, 502, 503, 504, 530, 534, 535, 538, 555})
# Servers without enhanced codes (Exim, qmail) have only words for it.
_RELAYING = re.compile(r"relay|authenti|rcpthosts", re.IGNORECASE)


def enhanced_code(words: str) -> str | None:
    """Return the enhanced status code in a reply, at its beginning or as `(#5.7.1)`."""
    found = _ENHANCED.search(words)
    return found[0] if found else None


def is_about_this_mail(code: int, words: str) -> bool:
    """Tell whether a reply to a recipient or a mail means that no later try will be taken.

    What is about the company's configuration or reputation (relaying, log-in, policy, a blocked
    address, a broken system) can be mended while the mail waits.
    """
    if code < 500 or code in _OUR_SIDE:
        return False
    found = _ENHANCED.search(words)
    if found is not None:
        subject, place = found[2], f"{found[2]}.{found[3]}"
        if place in _SENDERS_ADDRESS:
            return False
        if place in _ABOUT_THIS_MAIL or subject in _OF_THE_MAIL:
            return True
        if subject in _OF_THE_COMPANY:
            return False
    return _RELAYING.search(words) is None
