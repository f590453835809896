"""Seal what was written to whom under the complaint's own key, and open it again."""

from __future__ import annotations

from services.notification_service.messages.repository.deliveries import Marked
from services.notification_service.messages.service.preparing import Ready
from services.notification_service.recipients.domain.masking import masked
from services.notification_service.templates.domain.scene import Rendered
from shared.kernel.vault import Vault


def sealed(vault: Vault, ready: Ready) -> list[Marked]:
    """Return the rows to write before a message is handed over: text and address encrypted.

    In a digest each message keeps the whole mail, as proof of its own, under its complaint's key.
    """
    text = ready.rendered.model_dump_json(exclude_none=True)
    return [_sealed(vault, one, text, ready.digest_id) for one in ready.all]


def _sealed(vault: Vault, one: Ready, text: str, digest_id: str | None) -> Marked:
    key = vault.open_data_key(one.row.wrapped_key)
    return {
        "of": one.row.id,
        "to_channel": one.channel,
        "to_tries": one.row.tries + 1,
        "to_address": key.encrypt(one.address, context=f"address:{one.row.id}"),
        "to_masked": masked(one.address),
        "to_content": key.encrypt(text, context=f"content:{one.row.id}"),
        "to_template": one.rendered.template,
        "to_fingerprint": one.fingerprint,
        "to_digest": digest_id,
    }


def opened(vault: Vault, wrapped_key: bytes, message_id: str, content: bytes) -> Rendered:
    """Return the text of a message; raises Undecryptable where its key was destroyed."""
    plain = vault.open_data_key(wrapped_key).decrypt(content, context=f"content:{message_id}")
    return Rendered.model_validate_json(plain)
