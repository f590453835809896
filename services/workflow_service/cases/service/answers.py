"""Ask other services what a customer said: the words lie there, under their own keys."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from pydantic import ValidationError

from services.workflow_service.cases.domain.case import Case
from services.workflow_service.cases.schemas.answers import SurveyAnswer, SurveyAnswers, Told
from shared.http.client import ServiceClient, ServiceRefused
from shared.kernel import logging
from shared.kernel.errors import NotFound, Unavailable

log = logging.get(__name__)


class AnswerReader:
    """Complaints and surveys of cases, in words."""

    def __init__(self, *, intake: ServiceClient, notification: ServiceClient) -> None:
        self._intake = intake
        self._notification = notification

    async def told(self, case: Case) -> Told | None:
        """Return the complaint as it was made; None while intake is away, or once erased."""
        try:
            found = await self._intake.get(f"/v1/internal/intake/complaints/{case.id}/words")
            return Told.model_validate(found)
        except (Unavailable, ServiceRefused, NotFound, ValidationError) as failure:
            log.warning("complaint.unavailable", case=case.id, reason=type(failure).__name__)
            return None

    async def told_in(self, cases: Sequence[Case]) -> Mapping[str, Told | None]:
        """Return several complaints as they were made, by id; None as `told` says."""
        found = await asyncio.gather(*(self.told(case) for case in cases))
        return {case.id: words for case, words in zip(cases, found, strict=True)}

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
        await self._intake.close()
        await self._notification.close()
