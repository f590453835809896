"""How callers name a case, and the version of it that they have read."""

from __future__ import annotations

import re

from services.workflow_service.cases.service import reading
from services.workflow_service.cases.service.desk import Desk
from shared.kernel.ids import parse_number

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


async def id_of(desk: Desk, id_or_number: str) -> str:
    """Return the id of a case named by id or number; raises UnknownCase."""
    if _ID.fullmatch(id_or_number):
        return id_or_number
    if parse_number(id_or_number) is None:
        raise reading.UnknownCase("this is neither the id nor the number of a case")
    return (await reading.find(desk, id_or_number)).id


def etag_of(version: int) -> str:
    """Return the ETag of a case at a version."""
    return f'"{version}"'
