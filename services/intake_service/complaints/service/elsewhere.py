"""Ask what the customer's page shows of services that own it: words of the case, a chosen zone.

The page is there without them: whoever does not answer at once is not waited for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ValidationError

from services.intake_service.complaints.schemas.elsewhere import AnswerLink, Telling
from shared.http.client import JsonObject, ServiceClient, ServiceRefused
from shared.kernel import logging
from shared.kernel.errors import NotFound, Unavailable
from shared.web.clocks import CustomerClocks

log = logging.get(__name__)

_PATIENCE_SECONDS = 2.0

M = TypeVar("M", bound=BaseModel)


class Elsewhere:
    """The other services, as the customer's page asks them."""

    def __init__(self, *, workflow: ServiceClient, notification: ServiceClient) -> None:
        self._workflow = workflow
        self._notification = notification
        self._clocks = CustomerClocks(notification)

    async def telling(self, complaint_id: str) -> Telling:
        """Return what the customer is to read of their case; nothing where nobody answers."""
        asking = self._workflow.get(f"/v1/internal/workflow/telling/{complaint_id}")
        return await _soon(asking, Telling) or Telling()

    async def zone(self, customer_id: str, region: str | None) -> ZoneInfo | None:
        """Return the zone of a customer's clock; None: the company's."""
        return await self._clocks.of(customer_id, region)

    async def answer_url(self, complaint_id: str) -> str:
        """Return where a complaint's proposal is answered; raises NotFound and Unavailable."""
        found = await self._workflow.get(f"/v1/internal/workflow/answer-links/{complaint_id}")
        return AnswerLink.model_validate(found).url

    async def close(self) -> None:
        """Close the connections."""
        await self._workflow.close()
        await self._notification.close()


async def _soon(asking: Awaitable[JsonObject], model: type[M]) -> M | None:
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            return model.model_validate(await asking)
    except NotFound:
        return None
    except (Unavailable, ServiceRefused, TimeoutError, ValidationError) as failure:
        log.warning("page.without_words", wanted=model.__name__, reason=type(failure).__name__)
        return None
