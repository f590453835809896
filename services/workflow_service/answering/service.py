"""Look at a proposal by its link and answer it, once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from services.workflow_service.answering.domain.standing import (
    Answered,
    Standing,
    latest_proposal,
    standing_of,
)
from services.workflow_service.answering.schemas import TrackingLink
from services.workflow_service.cases.domain.command import Command
from services.workflow_service.cases.domain.lifecycle import Action
from services.workflow_service.cases.domain.telling import question_of
from services.workflow_service.cases.repository.reading import find_case, history_of
from services.workflow_service.cases.repository.spoken import Spoken, read_words
from services.workflow_service.cases.repository.storage import lock_cases
from services.workflow_service.cases.service.acting import act
from services.workflow_service.cases.service.answer_links import AnswerLinks
from services.workflow_service.cases.service.desk import Desk
from shared.http.client import ServiceClient, ServiceRefused
from shared.kernel import logging
from shared.kernel.errors import NotFound, Unavailable
from shared.kernel.ids import new_id

log = logging.get(__name__)

CUSTOMER = "customer"
"""Who the history says it was: the link was theirs."""


class UnknownProposal(NotFound):
    """No proposal has this link."""

    code = "unknown-answer-link"
    title = "This link leads to no proposal"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposal as its customer sees it; `options` have key, kind, text and amount."""

    complaint_id: str
    customer_id: str
    region: str | None
    number: str
    text: str | None
    options: Sequence[Mapping[str, Any]]
    standing: Standing
    final: bool
    next_due_at: datetime | None
    question: str | None = None
    """What we ask the customer for, where that has to be answered first."""

    @property
    def chosen(self) -> Mapping[str, Any] | None:
        """The option that was taken."""
        taken = (one for one in self.options if one["key"] == self.standing.option)
        return next(taken, None)


class TrackingLinks:
    """The ways on from an answer; whoever made the client closes it."""

    def __init__(self, intake: ServiceClient) -> None:
        self._intake = intake

    async def of(self, complaint_id: str) -> str | None:
        """Return the tracking page of a complaint; None while intake is away, or once erased."""
        path = f"/v1/internal/intake/complaints/{complaint_id}/tracking"
        try:
            return TrackingLink.model_validate(await self._intake.get(path)).url
        except (Unavailable, ServiceRefused, NotFound, ValidationError) as failure:
            log.warning("tracking.unavailable", case=complaint_id, reason=type(failure).__name__)
            return None


class Answers:
    """What customers say to proposals."""

    def __init__(self, desk: Desk, links: AnswerLinks) -> None:
        self._desk = desk
        self._links = links

    async def look(self, token: str) -> Proposal:
        """Return a link's proposal; raises UnknownProposal, also where the customer was erased."""
        spoken = await self._spoken(token)
        async with self._desk.database.read() as connection:
            case = await find_case(connection, case_id=spoken.complaint_id)
            history = await history_of(connection, spoken.complaint_id)
            asked = question_of(case, history) if case is not None else None
            asked_in = await read_words(connection, self._desk.vault, [asked]) if asked else []
        standing = standing_of(case, history, spoken.id) if case is not None else None
        if case is None or standing is None:
            raise _unknown()
        due_at = case.next_step()[1] if standing.state is Answered.ACCEPTED else None
        final = case.final_offer and standing.state is Answered.OPEN
        question = asked_in[0].text if asked_in else None
        return Proposal(
            complaint_id=case.id,
            customer_id=case.facts.customer_id,
            region=case.facts.region,
            number=case.number,
            text=spoken.text,
            options=spoken.options,
            standing=standing,
            final=final,
            next_due_at=due_at,
            question=question,
        )

    async def accept(self, token: str, option: str) -> None:
        """Take an option; where the proposal is not open any more, nothing happens.

        Raises UnknownProposal, and InvalidInput for an option that was not offered.
        """
        await self._answer(token, Action.ACCEPT, option=option)

    async def decline(self, token: str, text: str) -> None:
        """Take none, and say why; where the proposal is not open any more, nothing happens."""
        await self._answer(token, Action.DECLINE, text=text)

    async def link(self, complaint_id: str) -> str:
        """Return the address of a complaint's last proposal; raises UnknownProposal."""
        async with self._desk.database.read() as connection:
            history = await history_of(connection, complaint_id)
        proposal = latest_proposal(history)
        if proposal is None:
            raise _unknown()
        return self._links.url(proposal)

    async def _answer(
        self, token: str, action: Action, *, option: str | None = None, text: str | None = None
    ) -> None:
        spoken = await self._spoken(token)
        async with self._desk.messaging.unit_of_work() as uow:
            # Under the lock: of two answers at the same moment the second finds the first.
            case = (await lock_cases(uow.connection, [spoken.complaint_id])).get(
                spoken.complaint_id
            )
            if case is None:
                raise _unknown()
            history = await history_of(uow.connection, case.id)
            standing = standing_of(case, history, spoken.id)
            if standing is None:
                raise _unknown()
            if standing.state is not Answered.OPEN:
                return
            command = Command(
                action=action,
                by=CUSTOMER,
                at=uow.now,
                just_now=True,
                words_id=new_id(),
                note_id=new_id(),
                option=option,
                text=text,
                by_customer=True,
            )
            await act(self._desk, uow, case.id, command, if_version=None)

    async def _spoken(self, token: str) -> Spoken:
        proposal = self._links.read(token)
        if proposal is None:
            raise _unknown()
        async with self._desk.database.read() as connection:
            found = await read_words(connection, self._desk.vault, [proposal])
        if not found:
            raise _unknown()
        return found[0]


def _unknown() -> UnknownProposal:
    return UnknownProposal("Please check the link: it must be opened exactly as it was sent.")
