"""The calendars that rules from outside count by: a jurisdiction's working days and hours.

Office hours are those within which an authority takes something as received that day.
"""

from __future__ import annotations

from collections.abc import Mapping

from services.workflow_service.calendars.domain.calendar import Window
from services.workflow_service.calendars.domain.document import CalendarDocument

_OFFICE = {"mon-fri": (Window(9 * 60, 17 * 60),)}

STATUTORY: Mapping[str, CalendarDocument] = {
    "cn": CalendarDocument(timezone="Asia/Shanghai", holidays="CN", windows=_OFFICE),
    "gb": CalendarDocument(timezone="Europe/London", holidays="GB-ENG", windows=_OFFICE),
    "us": CalendarDocument(timezone="America/New_York", holidays="US", windows=_OFFICE),
}
