"""What an answer of a vendor means: taken, refused for this person, not taken now, or unclear."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from services.notification_service.gateways.domain.port import (
    GatewayError,
    NotAccepted,
    Refused,
    Uncertain,
)

# These never reached the gateway's own code, so nothing was sent. 500, 502 and 504 may hide a
# message that was taken.
_NOT_TAKEN = frozenset({408, 425, 429, 503})
# Wrong credentials, a wrong path, no credit, or a request in a form that the gateway does not take
# are the company's trouble and can be mended.
_OURS_TO_MEND = frozenset({401, 402, 403, 404, 405, 406, 407, 411, 415, 421, 426, 428, 431})
_MAY_HIDE = frozenset({500, 502, 504})


@dataclass(frozen=True, slots=True)
class Codes:
    """Which of a vendor's error codes are about this person or these words, and which are unclear.

    Every other code is the vendor's word that it took nothing: throttled, no credit, a wrong
    signature or template, all of which can be mended while the message waits.
    """

    refused: Collection[str]
    uncertain: Collection[str] = ()

    def judge(self, code: str, said: str, *, status: int) -> GatewayError:
        """Return what a code means; `said` is for an operator.

        It names the code and not the vendor's words: those repeat the number, and reasons stand
        in events.
        A code that is not in the vendor's documentation is worth no more than its HTTP status.
        """
        if code in self.refused:
            return Refused(said)
        if code in self.uncertain or status in _MAY_HIDE:
            return Uncertain(said)
        return NotAccepted(said)


def judge_status(status: int, said: str) -> GatewayError:
    """Return what the HTTP status of a gateway that has no codes means."""
    if status in _NOT_TAKEN or status in _OURS_TO_MEND:
        return NotAccepted(said)
    if 400 <= status < 500:
        return Refused(said)
    return Uncertain(said)


def judge_unreadable(status: int, said: str) -> GatewayError:
    """Return what an answer means from which a vendor's code cannot be read.

    With a 4xx nothing was taken, but who says so (a proxy, a firewall) says nothing of the person.
    """
    if 400 <= status < 500 or status in _NOT_TAKEN:
        return NotAccepted(said)
    return Uncertain(said)
