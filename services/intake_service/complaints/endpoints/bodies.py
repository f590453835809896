"""Read request bodies against the taxonomy, the clock and the numbering plan."""

from __future__ import annotations

from typing import TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from services.intake_service.complaints.schemas.request import RequestRules, Taxonomy
from shared.http.invalid import from_validation, is_json, wrong_content_type
from shared.kernel.clock import Clock

M = TypeVar("M", bound=BaseModel)


class Rules:
    """Makes the rules that the fields of a request are checked against now."""

    def __init__(self, *, clock: Clock, phone_region: str, taxonomy: Taxonomy) -> None:
        self._clock = clock
        self._phone_region = phone_region
        self._taxonomy = taxonomy

    def now(self) -> RequestRules:
        """Return the rules of this moment."""
        return RequestRules(self._clock.now(), self._phone_region, self._taxonomy)


async def read_body(request: Request, model: type[M], rules: RequestRules) -> M:
    """Read the body, straight from its bytes; raises InvalidInput with every wrong field."""
    content_type = request.headers.get("content-type")
    if not is_json(content_type):
        raise wrong_content_type(content_type or "")
    try:
        return model.model_validate_json(await request.body(), context=rules)
    except ValidationError as wrong:
        raise from_validation(wrong, model=model) from None
