"""`/v1/events`: the log for whoever can only ask."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from services.notification_service.feed.schemas import EventPage
from services.notification_service.feed.service import LATEST, LONGEST_WAIT_SECONDS, Asked, Feed
from shared.http.access import Scope
from shared.http.auth import requires
from shared.http.event_types import checked_types
from shared.http.pagination import DEFAULT_LIMIT, MAX_LIMIT
from shared.http.query import KNOWN_QUERY


def router(feed: Feed) -> APIRouter:
    """Make the path."""
    routes = APIRouter(tags=["events"], dependencies=[KNOWN_QUERY])

    @routes.get(
        "/v1/events",
        response_model=EventPage,
        dependencies=[Depends(requires(Scope.EVENTS_READ))],
    )
    async def read_events(
        after: Annotated[
            str | None,
            Query(
                max_length=1000,
                description=f"`cursor` of the page before; absent: from the first event on; "
                f"`{LATEST}`: only what comes from now on",
            ),
        ] = None,
        types: Annotated[
            list[str] | None,
            Query(description="Types of events, repeated or with commas; absent: all"),
        ] = None,
        wait: Annotated[
            float,
            Query(
                ge=0,
                le=LONGEST_WAIT_SECONDS,
                description="Seconds to wait for an event where there is none",
            ),
        ] = 0,
        limit: Annotated[
            int, Query(ge=1, le=MAX_LIMIT, description="Events per page")
        ] = DEFAULT_LIMIT,
    ) -> Response:
        """Read events in the order of their topic; go on with the `cursor` that came last."""
        named = [name.strip() for part in types or () for name in part.split(",") if name.strip()]
        wanted = checked_types(named, "/query/types")
        page = await feed.read(
            Asked(after=after or None, types=wanted, limit=limit, wait_seconds=wait)
        )
        body = b'{"items":[%b],"cursor":"%b"}' % (b",".join(page.items), page.cursor.encode())
        return Response(body, media_type="application/json", headers={"Cache-Control": "no-store"})

    return routes
