"""Write scripts and letters about real cases, and check their tone."""

from __future__ import annotations

from typing import Final
from zoneinfo import ZoneInfo

from babel.dates import format_datetime

from services.notification_service.recipients.schemas import Contact
from services.notification_service.recipients.service import Directory
from services.notification_service.scripts.domain.book import Facts, Kind, topic_of, write
from services.notification_service.scripts.repository import book_in
from services.notification_service.scripts.schemas import Asked, Draft
from services.notification_service.tone.domain.words import Locale, Purpose
from services.notification_service.tone.service import check
from shared.kernel.errors import NotFound

_PATTERNS: Final[dict[Locale, tuple[str, str]]] = {
    "zh-CN": ("M月d日（EEE）HH:mm", "zh_CN"),
    "en": ("EEE d MMM, HH:mm", "en_GB"),
}
_PURPOSES: Final = {
    Kind.REPLY: Purpose.REPLY,
    Kind.APOLOGY: Purpose.APOLOGY_LETTER,
    Kind.APOLOGY_BY_LEADER: Purpose.APOLOGY_LETTER,
    Kind.THANKS: Purpose.THANK_YOU_LETTER,
}


class Secretary:
    """Writes drafts; whom they are for is asked of intake, as the sender does."""

    def __init__(
        self, directory: Directory, *, zone: ZoneInfo, company: str, default_locale: Locale
    ) -> None:
        self._directory = directory
        self._zone = zone
        self._company = company
        self._default_locale = default_locale

    async def draft(self, asked: Asked) -> Draft:
        """Write a letter; raises NotFound for an unknown or erased complaint, and Unavailable."""
        contact = (await self._directory.contacts([asked.complaint_id])).get(asked.complaint_id)
        if contact is None:
            raise NotFound("There is no such complaint, or its customer was erased.")
        locale = asked.locale or self._spoken_by(contact)
        written = write(
            book_in(locale),
            asked.kind,
            topic=topic_of(contact.category),
            motive=asked.motive,
            facts=self._facts(asked, contact, locale),
        )
        verdict = check(written.text, locale=locale, purpose=_PURPOSES[asked.kind])
        return Draft(locale, written, verdict)

    def _spoken_by(self, contact: Contact) -> Locale:
        spoken = contact.locale or ""
        if spoken.startswith("zh"):
            return "zh-CN"
        return "en" if spoken.startswith("en") else self._default_locale

    def _facts(self, asked: Asked, contact: Contact, locale: Locale) -> Facts:
        pattern, tag = _PATTERNS[locale]
        by = asked.by.astimezone(self._zone) if asked.by else None
        return Facts(
            company=self._company,
            name=contact.name,
            number=contact.number,
            thing=asked.thing,
            by=format_datetime(by, pattern, locale=tag) if by else None,
            cause=asked.cause,
            remedy=asked.remedy,
            signer=asked.signer,
            role=asked.role,
        )
