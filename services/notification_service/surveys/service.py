"""Ask customers whether they are satisfied, and take each answer once."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from zoneinfo import ZoneInfo

from services.notification_service.messages.domain.behind import list_behind
from services.notification_service.messages.domain.words import About, Kind
from services.notification_service.messages.repository.deliveries import Leased, take_sequences
from services.notification_service.preferences.repository.stored import read
from services.notification_service.surveys import repository
from services.notification_service.surveys.domain.survey import (
    Answer,
    Survey,
    SurveyState,
    UnknownSurvey,
    take,
)
from services.notification_service.surveys.repository import NewSurvey, Stored
from shared.events.cases import FollowUpDue
from shared.events.surveys import SurveyAnswered
from shared.events.words import Audience
from shared.kernel.ids import new_id
from shared.kernel.vault import Undecryptable, Vault
from shared.messaging import Messaging, UnitOfWork
from shared.web.zones import zone_for

_TOKEN = re.compile(r"[A-Za-z0-9_-]{22}")


class Links:
    """Makes the addresses that messages carry, but for those that other services tell.

    A survey's token is a keyed digest of complaint and round: nobody can guess it, and the message
    that carries it can be written, or written again, without its standing anywhere.
    """

    def __init__(
        self, vault: Vault, base_url: str, staff_url: str, *, dashboard_url: str, zone: ZoneInfo
    ) -> None:
        """`zone` is the company's: the dashboard's days are its days."""
        self._vault = vault
        self._base_url = base_url
        self._staff_url = staff_url
        self._dashboard_url = dashboard_url
        self._zone = zone

    def of(self, row: Leased, tracking_url: str | None) -> Mapping[str, str]:
        """Return the links that a message's wording may have, by name."""
        if row.about != About.COMPLAINT:
            path = list_behind(row.facts, row.category, self._zone)
            return {"complaints_url": self._dashboard_url + path}
        if row.audience == Audience.STAFF:
            call_back = row.facts.get("call_back")
            path = f"/callbacks/{call_back}" if call_back else f"/cases/{row.number}"
            return {"case_url": self._staff_url + path}
        links: dict[str, str] = {}
        if tracking_url:
            # Its page opens with the token of the tracking link, but may be at another address.
            token = tracking_url.rpartition("/")[2]
            links["preferences_url"] = f"{self._base_url}/preferences/{token}"
        if row.kind == Kind.SURVEY:
            asked = row.facts.get("round")
            survey = self.survey(row.complaint_id, asked if isinstance(asked, int) else 1)
            links["survey_url"] = survey
        return links

    def token(self, complaint_id: str, case_round: int) -> str:
        """Return the token of a round's survey."""
        digest = self._vault.blind_index("survey", f"{complaint_id}/{case_round}")
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")

    def survey(self, complaint_id: str, case_round: int) -> str:
        """Return the link that the customer gets."""
        return f"{self._base_url}/survey/{self.token(complaint_id, case_round)}"


class SurveyBook:
    """Every survey, by the token of its link. `valid` is how long one can be answered."""

    def __init__(
        self, messaging: Messaging, *, vault: Vault, links: Links, valid: timedelta
    ) -> None:
        self._messaging = messaging
        self._vault = vault
        self._links = links
        self._valid = valid

    async def open(self, work: UnitOfWork, batch: Sequence[FollowUpDue]) -> None:
        """Let customers answer about these rounds from now on; their complaints are known."""
        rows: list[NewSurvey] = [
            {
                "id": new_id(),
                "complaint_id": event.complaint_id,
                "round": event.round,
                "token_hash": _hash(self._links.token(event.complaint_id, event.round)),
                "asked_at": work.now,
                "expires_at": work.now + self._valid,
            }
            for event in batch
        ]
        await repository.add(work.connection, rows)

    async def look(self, token: str) -> Survey:
        """Return a link's survey; raises UnknownSurvey, also where its customer was erased."""
        async with self._messaging.database.read() as connection:
            found = await repository.find(connection, _hash_of(token))
        return self._known(found)

    async def zone(self, survey: Survey) -> ZoneInfo | None:
        """Return the zone of the customer's clock, as messages go by it; None: the company's."""
        async with self._messaging.database.read() as connection:
            customer_id, region = await repository.whereabouts(connection, survey.complaint_id)
            found = await read(connection, customer_id) if customer_id else None
        return zone_for(found.chosen.timezone if found else None, region)

    async def answer(self, token: str, answer: Answer) -> Survey:
        """Record an answer, once; the same again changes nothing. Returns the survey as it is.

        Raises UnknownSurvey, AlreadyAnswered and SurveyExpired.
        """
        async with self._messaging.unit_of_work() as work:
            # Who sends twice waits here, and then finds the first answer.
            found = await repository.find(work.connection, _hash_of(token), for_change=True)
            if take(self._known(found), answer, now=work.now):
                assert found is not None
                await self._record(work, found, answer)
        return await self.look(token)

    async def _record(self, work: UnitOfWork, found: Stored, answer: Answer) -> None:
        last = await take_sequences(work.connection, {found.complaint_id: 1})
        await repository.answer(
            work.connection,
            found.id,
            score=answer.score,
            wants_call=answer.wants_call,
            words=self._sealed(found, answer.text),
            at=work.now,
        )
        said = SurveyAnswered(
            complaint_id=found.complaint_id,
            number=found.number,
            survey=found.id,
            round=found.round,
            score=answer.score,
            wants_call=answer.wants_call,
        )
        work.emit(said, sequence=last[found.complaint_id] + 1)

    async def page(
        self, *, complaint_id: str | None, before: str | None, limit: int
    ) -> list[Survey]:
        """Return surveys, the newest first."""
        async with self._messaging.database.read() as connection:
            rows = await repository.page(
                connection, complaint_id=complaint_id, before=before, limit=limit
            )
        return [self._opened(row) for row in rows]

    async def answered(self, complaint_ids: Collection[str]) -> list[Survey]:
        """Return the answered surveys of complaints, for who shows their words to staff."""
        async with self._messaging.database.read() as connection:
            rows = await repository.answered(connection, complaint_ids)
        return [self._opened(row) for row in rows]

    def state(self, survey: Survey) -> SurveyState:
        """Return where a survey stands now."""
        return survey.state_at(self._messaging.clock.now())

    def _known(self, found: Stored | None) -> Survey:
        if found is None or found.wrapped_key is None:
            raise UnknownSurvey("Please check the link: it must be opened exactly as it was sent.")
        return self._opened(found)

    def _opened(self, row: Stored) -> Survey:
        answer = None
        if row.score is not None:
            answer = Answer(row.score, self._words(row), bool(row.wants_call))
        return Survey(
            id=row.id,
            complaint_id=row.complaint_id,
            number=row.number,
            language=row.language,
            round=row.round,
            asked_at=row.asked_at,
            expires_at=row.expires_at,
            answer=answer,
            answered_at=row.answered_at,
        )

    def _sealed(self, row: Stored, text: str | None) -> bytes | None:
        if text is None or row.wrapped_key is None:
            return None
        key = self._vault.open_data_key(row.wrapped_key)
        return key.encrypt(text, context=f"survey:{row.id}")

    def _words(self, row: Stored) -> str | None:
        if row.words is None or row.wrapped_key is None:
            return None
        try:
            key = self._vault.open_data_key(row.wrapped_key)
            return key.decrypt(row.words, context=f"survey:{row.id}")
        except Undecryptable:
            return None


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _hash_of(token: str) -> bytes:
    """Return what finds a token's row; what cannot be a token of ours finds none."""
    return _hash(token) if _TOKEN.fullmatch(token) else b""
