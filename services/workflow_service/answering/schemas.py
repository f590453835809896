"""What the tracking page is told."""

from __future__ import annotations

from pydantic import BaseModel


class AnswerLink(BaseModel):
    """Where a customer answers the last proposal."""

    url: str
