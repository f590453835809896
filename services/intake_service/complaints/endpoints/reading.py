"""Read complaints: one by id or number, or a list."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from services.intake_service.complaints.endpoints.rendering import complaint_out
from services.intake_service.complaints.repository.reading import ListFilter
from services.intake_service.complaints.schemas.answer import ComplaintOut, Links
from services.intake_service.complaints.service.reading import OpenComplaint, Reader
from shared.events.words import CaseState, Channel
from shared.http.auth import Principal, Scope, requires
from shared.http.pagination import Page, Paging, cut, link_next
from shared.http.query import KNOWN_QUERY
from shared.kernel.errors import Forbidden

Reading = Annotated[Principal, Depends(requires(Scope.COMPLAINTS_READ))]
Reference = Annotated[
    str,
    Path(max_length=64, description="The id, or the number", examples=["7K3F-9Q2M-X"]),
]
Reveal = Annotated[
    Literal["pii"] | None,
    Query(description="Show contact details in full: needs `pii:read` and is recorded"),
]


def list_filter(
    status: CaseState | None = None,
    category: Annotated[str | None, Query(max_length=100)] = None,
    channel: Channel | None = None,
    customer_id: Annotated[str | None, Query(max_length=36)] = None,
) -> ListFilter:
    """Read what a list is narrowed to (a FastAPI dependency)."""
    return ListFilter(status, category, channel, customer_id)


def router(reader: Reader, *, links: Links) -> APIRouter:
    """Make the routes."""
    made = APIRouter(tags=["complaints"], dependencies=[KNOWN_QUERY])

    async def revealed(seen: list[OpenComplaint], who: Principal, reveal: str | None) -> bool:
        if reveal is None:
            return False
        if not who.may(Scope.PII_READ):
            raise Forbidden("Contact details in full need the scope pii:read.")
        await reader.record_looks(seen, principal=who.id, purpose="api")
        return True

    @made.get("/v1/complaints/{reference}")
    async def get_complaint(
        reference: Reference, who: Reading, reveal: Reveal = None
    ) -> ComplaintOut:
        """Return a complaint by id or number, the customer masked, with additions and progress."""
        found = await reader.read(reference)
        return complaint_out(found, links, reveal=await revealed([found], who, reveal))

    @made.get("/v1/complaints")
    async def list_complaints(
        *,
        request: Request,
        response: Response,
        who: Reading,
        page: Paging,
        wanted: Annotated[ListFilter, Depends(list_filter)],
        reveal: Reveal = None,
    ) -> Page[ComplaintOut]:
        """List complaints, the newest first; additions are left to the single complaint."""
        before = str(page.after[0]) if page.after else None
        rows = await reader.page(wanted, before=before, fetch=page.fetch)
        kept, cursor = cut(rows, page, lambda row: (row.stored.id,))
        in_full = await revealed(list(kept), who, reveal)
        link_next(request, response, cursor)
        items = [complaint_out(row, links, reveal=in_full) for row in kept]
        return Page(items=items, next_cursor=cursor)

    return made
