"""What the address of a dashboard page can say."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, field_validator

from services.analytics_service.dashboard.domain.lists import Sort, Status
from services.analytics_service.metrics.domain.dimensions import Dimension, Measure
from services.analytics_service.metrics.domain.zones import YEARS
from services.analytics_service.metrics.schemas import Question
from shared.http.words import form

PeriodName = Literal["7d", "30d", "90d", "365d", "all", "custom"]
BAR = ("category", "region", "channel", "department")


class View(Question):
    """The filter bar: a period by name or by its days, and values of dimensions.

    An empty value means no filter: browsers send the fields of a form that were left alone.
    """

    model_config = ConfigDict(extra="ignore")

    period: PeriodName | Literal[""] = ""
    rows: Dimension = Dimension.CATEGORY
    columns: Dimension = Dimension.REGION
    measure: Measure = Measure.COUNT

    @field_validator("*", mode="before")
    @classmethod
    def _without_empty(cls, value: object) -> object:
        return [each for each in value if each != ""] if isinstance(value, list) else value

    def days(self) -> tuple[date | None, date | None]:
        """Return the days typed for a custom period; what is no date counts as not given."""
        return _date(self.from_), _date(self.to)


class ListView(View):
    """A list of complaints: the bar, a status, a place, an order, and where to go on."""

    status: Status | Literal[""] = ""
    cell: Annotated[str, form("^([0-9a-f]{15})?$", "an H3 cell: 15 hexadecimal digits")] = ""
    sort: Sort = Sort.NEWEST
    page: Annotated[int, Field(ge=1, le=2000)] = 1


def _date(text: str | None) -> date | None:
    try:
        day = date.fromisoformat(text[:10]) if text else None
    except ValueError:
        return None
    return day if day is not None and day.year in YEARS else None
