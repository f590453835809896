"""How callers name a case, and the version of it that they have read."""

from __future__ import annotations

import re

from services.workflow_service.cases.service import reading
from services.workflow_service.cases.service.desk import Desk
from shared.kernel.errors import FieldError, InvalidInput
from shared.kernel.ids import parse_number

_ETAG = re.compile(r'(?:W/)?"(\d+)"')
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


def version_of(if_match: str | None) -> int | None:
    """Return the version that `If-Match` names, None for any; raises InvalidInput."""
    if if_match is None or if_match.strip() == "*":
        return None
    found = _ETAG.fullmatch(if_match.strip())
    if found is None:
        detail = 'If-Match must be the ETag of the case as it was read, such as "4"'
        raise InvalidInput(detail, (FieldError("/header/If-Match", "invalid_etag", detail),))
    return int(found[1])
