"""Ask notification what a customer said in surveys: their words lie there, under its own key."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import ValidationError

from services.workflow_service.cases.domain.case import Case
from services.workflow_service.cases.schemas.answers import SurveyAnswer, SurveyAnswers
from shared.http.client import ServiceClient, ServiceRefused
from shared.kernel import logging
from shared.kernel.errors import NotFound, Unavailable

log = logging.get(__name__)


class AnswerReader:
    """The surveys of cases, in words."""

    def __init__(self, notification: ServiceClient) -> None:
        self._notification = notification

    async def of(self, case: Case) -> Sequence[SurveyAnswer] | None:
        """Return what was said in a case's surveys; None while notification is away."""
        if case.satisfaction is None:
            return ()
        asked = {"complaint_ids": [case.id]}
        try:
            found = await self._notification.post("/v1/internal/notification/survey-answers", asked)
            return SurveyAnswers.model_validate(found).items
        except (Unavailable, ServiceRefused, NotFound, ValidationError) as failure:
            # A page about a case must not fail for it: it says that the words are away.
            log.warning("answers.unavailable", case=case.id, reason=type(failure).__name__)
            return None

    async def close(self) -> None:
        """Close the connections."""
        await self._notification.close()
