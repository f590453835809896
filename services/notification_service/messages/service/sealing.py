"""Seal what was written to whom under the complaint's own key, and open it again."""

from __future__ import annotations

from services.notification_service.messages.repository.deliveries import Marked
from services.notification_service.messages.service.preparing import Ready
from services.notification_service.recipients.domain.masking import masked
from services.notification_service.templates.domain.scene import Rendered
from shared.kernel.vault import Vault


def sealed(vault: Vault, ready: Ready) -> Marked:
    """Return the row to write before a message is handed over: its text and address encrypted."""
    key = vault.open_data_key(ready.row.wrapped_key)
    return {
        "of": ready.row.id,
        "to_channel": ready.channel,
        "to_tries": ready.row.tries + 1,
        "to_address": key.encrypt(ready.address, context=f"address:{ready.row.id}"),
        "to_masked": masked(ready.address),
        "to_content": key.encrypt(
            ready.rendered.model_dump_json(exclude_none=True), context=f"content:{ready.row.id}"
        ),
        "to_template": ready.rendered.template,
    }


def opened(vault: Vault, wrapped_key: bytes, message_id: str, content: bytes) -> Rendered:
    """Return the text of a message; raises Undecryptable where its key was destroyed."""
    plain = vault.open_data_key(wrapped_key).decrypt(content, context=f"content:{message_id}")
    return Rendered.model_validate_json(plain)
