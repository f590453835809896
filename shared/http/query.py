"""Refuse query parameters that a path does not have: a misspelt filter would show everything."""

from __future__ import annotations

from fastapi import Depends, Request

from shared.http.invalid import query_names, unknown_query
from shared.kernel.errors import invalid_input


def refuse_unknown_query(request: Request) -> None:
    """Compare the query with what the path declares (a FastAPI dependency).

    Raises InvalidInput naming every unknown parameter, with a suggestion where one is near.
    """
    if not request.query_params:
        return
    known = query_names(request)
    unknown = [name for name in request.query_params if name not in known]
    if unknown:
        raise invalid_input([unknown_query(name, known) for name in unknown])


KNOWN_QUERY = Depends(refuse_unknown_query)
"""Give it to the paths for machines: `APIRouter(dependencies=[KNOWN_QUERY])`."""
