"""What shows in many complaints at once: a hot spot, and the incident that is made of one."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from shared.events.base import Signal, Source


class HotspotDetected(Signal):
    """More complaints of one kind came than usual; said again, of the same hot spot, as it grows.

    What is not named (`product`, `region`, `department`) is not what they have in common.
    """

    source = Source.ANALYTICS

    hotspot: str = Field(description="id of the hot spot")
    category: str
    product: str | None = None
    region: str | None = None
    department: str | None = Field(default=None, description="who sees to such complaints")
    count: int = Field(description="complaints received from `since` to `until`")
    usual: float = Field(description="how many are usual in as long a time")
    since: datetime
    until: datetime

    @property
    def subject(self) -> str:
        """The hot spot's id."""
        return self.hotspot


class IncidentOpened(Signal):
    """One cause was found behind many complaints: they are looked into and answered together."""

    source = Source.WORKFLOW

    incident: str = Field(description="id of the incident")
    category: str | None = None
    department: str | None = None
    owner: str | None = Field(default=None, description="who leads it")
    complaints: int = Field(default=0, description="how many are linked so far")
    hotspot: str | None = Field(default=None, description="id of the hot spot it grew out of")
    due_at: datetime | None = Field(default=None, description="until when it is to be decided")

    @property
    def subject(self) -> str:
        """The incident's id."""
        return self.incident
