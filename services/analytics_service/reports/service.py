"""The fact rows as a file."""

from __future__ import annotations

import tempfile
from pathlib import Path
from zoneinfo import ZoneInfo

from services.analytics_service.metrics.domain.dimensions import Stage
from services.analytics_service.metrics.domain.selection import Selection
from services.analytics_service.metrics.repository import Facts
from services.analytics_service.metrics.schemas import Question
from services.analytics_service.projections.repository.serving import Reading, Serving

# What the folding keeps for itself is of no use to an analyst.
_INTERNAL = (
    "intake_sequence",
    "workflow_sequence",
    "notification_sequence",
    *(f"{stage}_band" for stage in Stage),
)


class Reports:
    """Writes facts for analysts."""

    def __init__(self, serving: Serving, zone: ZoneInfo) -> None:
        self._serving = serving
        self._zone = zone

    async def parquet(self, question: Question) -> Path:
        """Write the selected facts to a temporary Parquet file; the caller deletes it.

        Instants are UTC. Facts hold no personal data (events carry none), so neither does the file.
        """
        selection = question.selection(self._zone)
        return await self._serving.read(lambda reading: _write(reading, selection))


def _write(reading: Reading, selection: Selection) -> Path:
    with tempfile.NamedTemporaryFile(prefix="redress-facts-", suffix=".parquet", delete=False) as f:
        path = Path(f.name)
    try:
        Facts(reading, selection).copy_to(path, without=_INTERNAL)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path
