"""Asking notification whose clock a customer reads, for services that show them times."""

from __future__ import annotations

import asyncio
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, ValidationError

from shared.http.client import ServiceClient, ServiceRefused
from shared.kernel import logging
from shared.kernel.errors import NotFound, Unavailable
from shared.web.zones import zone_for

log = logging.get(__name__)

_PATIENCE_SECONDS = 2.0


class _Chosen(BaseModel):
    """The time zone that a customer chose; null for none."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    timezone: str | None = None


class CustomerClocks:
    """Whose clock customers read, as their messages go by it; who made the client closes it."""

    def __init__(self, notification: ServiceClient) -> None:
        self._notification = notification

    async def of(self, customer_id: str, region: str | None) -> ZoneInfo | None:
        """Return the zone that a customer chose, else their region's; None: the company's.

        Where notification is away or slow it goes by the region.
        """
        path = f"/v1/internal/notification/zones/{customer_id}"
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                found = _Chosen.model_validate(await self._notification.get(path))
        except NotFound:
            return zone_for(None, region)
        except (Unavailable, ServiceRefused, TimeoutError, ValidationError) as failure:
            log.warning("zone.unavailable", reason=type(failure).__name__)
            return zone_for(None, region)
        return zone_for(found.timezone, region)
