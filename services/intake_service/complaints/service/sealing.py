"""Words of a complaint into their ciphertext and back, under the customer's key."""

from __future__ import annotations

from typing import Any

import orjson

from services.intake_service.complaints.domain.new_complaint import Place, References
from services.intake_service.complaints.domain.words import ReasonGiven, Words
from services.intake_service.customers.domain.contact import Contact
from shared.kernel.vault import DataKey


def seal_words(words: Words, key: DataKey, *, complaint_id: str) -> bytes:
    """Encrypt; the ciphertext opens only for this complaint."""
    text = orjson.dumps(words).decode()
    return key.encrypt(text, context=f"complaint:{complaint_id}")


def open_words(sealed: bytes, key: DataKey, *, complaint_id: str) -> Words:
    """Decrypt; raises Undecryptable where key or complaint is another."""
    found: dict[str, Any] = orjson.loads(key.decrypt(sealed, context=f"complaint:{complaint_id}"))
    return Words(
        description=found["description"],
        contact=Contact(**found["contact"]),
        references=References(**found["references"]),
        place=Place(**found["place"]),
        people=tuple(found["people"]),
        reasons=tuple(ReasonGiven(**reason) for reason in found["reasons"]),
        token=found["token"],
    )
