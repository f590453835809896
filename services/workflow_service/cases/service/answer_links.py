"""The address under which a customer answers one proposal."""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import dataclass
from uuid import UUID

from shared.kernel.vault import Vault

_ID_BYTES = 16
_KIND = "answer-link"


@dataclass(frozen=True, slots=True)
class AnswerLinks:
    """Signs the ids of proposals: nothing is stored, and nobody can make up a link.

    Whoever has the link may answer, as with the tracking link: it was sent to the customer.
    """

    vault: Vault
    base_url: str

    def url(self, proposal: str) -> str:
        """Return the address of a proposal by the id of its words."""
        return f"{self.base_url}/answer/{self.token(proposal)}"

    def token(self, proposal: str) -> str:
        """Return the last part of the address."""
        signed = UUID(proposal).bytes + self.vault.blind_index(_KIND, proposal)
        return base64.urlsafe_b64encode(signed).decode().rstrip("=")

    def read(self, token: str) -> str | None:
        """Return the id that a token was made for, None for one that we did not make."""
        try:
            padded = token + "=" * (-len(token) % 4)
            signed = base64.b64decode(padded.encode(), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return None
        if len(signed) != 2 * _ID_BYTES:
            return None
        proposal = str(UUID(bytes=signed[:_ID_BYTES]))
        # Compared as it is written: the last character has bits that say nothing, so that four
        # spellings would mean the same bytes.
        return proposal if hmac.compare_digest(self.token(proposal), token) else None
