"""Ask notification about the tone of what staff write: the rules lie there."""

from __future__ import annotations

from pydantic import ValidationError

from services.workflow_service.console.schemas import ToneVerdict
from shared.http.client import ServiceClient, ServiceRefused
from shared.kernel import logging
from shared.kernel.errors import NotFound, Unavailable

log = logging.get(__name__)


class ToneChecker:
    """The tone check; whoever made the client closes it."""

    def __init__(self, notification: ServiceClient) -> None:
        self._notification = notification

    async def check(self, text: str, *, purpose: str, lang: str) -> ToneVerdict | None:
        """Return what is wrong with a text, explained in a language; None while nobody answers."""
        asked = {"text": text, "purpose": purpose, "locale": lang}
        try:
            found = await self._notification.post("/v1/internal/notification/tone-check", asked)
            return ToneVerdict.model_validate(found)
        except (Unavailable, ServiceRefused, NotFound, ValidationError) as failure:
            log.warning("tone.unavailable", reason=type(failure).__name__)
            return None
