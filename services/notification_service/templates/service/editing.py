"""Read and change a company's wordings: drafts, and which version speaks."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import get_args

from sqlalchemy.exc import IntegrityError

from services.notification_service.templates import repository
from services.notification_service.templates.domain.language import Fault
from services.notification_service.templates.domain.samples import samples_of, whole_scene
from services.notification_service.templates.domain.scene import BUILT_IN, CannotRender, Locale
from services.notification_service.templates.domain.versions import VersionState
from services.notification_service.templates.repository import Stored, Template
from services.notification_service.templates.service.checking import (
    language_faults,
    reading_faults,
)
from services.notification_service.templates.service.rendering import LOCALES, Templates
from services.notification_service.templates.service.speaking import Wordings
from services.notification_service.templates.service.toning import tone_faults
from shared.db.database import Database
from shared.events.words import MessageChannel
from shared.kernel import logging
from shared.kernel.clock import Clock
from shared.kernel.errors import Conflict, FieldError, InvalidInput, NotFound, PreconditionFailed

log = logging.get(__name__)

Version = int | None
"""The number of a company's version; None is the wording that comes with the project."""


class TemplateDesk:
    """The wordings as people edit them."""

    def __init__(
        self, templates: Templates, wordings: Wordings, *, database: Database, clock: Clock
    ) -> None:
        self._templates = templates
        self._wordings = wordings
        self._database = database
        self._clock = clock

    async def all(self) -> list[Template]:
        """Return every wording with its latest and its active version."""
        async with self._database.read() as connection:
            rows = await repository.heads(connection)
        by_place: dict[tuple[str, str], list[Stored]] = {}
        for row in sorted(rows, key=lambda one: -one.version):
            by_place.setdefault((row.kind, row.locale), []).append(row)
        return [
            self._template(kind, locale, by_place.get((kind, locale), []))
            for kind in self._templates.kinds
            for locale in LOCALES
        ]

    async def one(self, kind: str, locale: str) -> Template:
        """Return one wording with all its versions; raises NotFound."""
        known = self._known(kind, locale)
        async with self._database.read() as connection:
            rows = await repository.versions(connection, kind, known)
        return self._template(kind, known, rows)

    async def source(self, kind: str, locale: str, version: Version) -> str:
        """Return the wording of one version; raises NotFound."""
        known = self._known(kind, locale)
        async with self._database.read() as connection:
            stored = await repository.one(connection, kind, known, version) if version else None
        if version and stored is None:
            raise _no_version(version)
        return stored.source if stored else self._built_in(kind, known)

    async def save(
        self, kind: str, locale: str, source: str, *, by: str, if_version: int | None
    ) -> Stored:
        """Keep a draft as the next version and return it; what is the newest already stays.

        Raises NotFound, InvalidInput naming line and reason, and PreconditionFailed where somebody
        saved since `if_version` was read.
        """
        known = self._known(kind, locale)
        refuse(language_faults(source))
        try:
            return await self._save(kind, known, source, by=by, if_version=if_version)
        except IntegrityError:
            raise _stale("somebody else saved a version at this moment") from None

    async def _save(
        self, kind: str, locale: Locale, source: str, *, by: str, if_version: int | None
    ) -> Stored:
        async with self._database.write() as connection:
            rows = await repository.versions(connection, kind, locale, lock=True)
            latest = rows[0].version if rows else 0
            if if_version is not None and if_version != latest:
                raise _stale(f"the latest version is {latest}, If-Match names {if_version}")
            if rows and rows[0].source == source:
                return rows[0]
            draft = Stored(
                kind=kind,
                locale=locale,
                version=latest + 1,
                source=source,
                base=self._templates.digest(kind, locale),
                author=by,
                created_at=self._clock.now(),
                state=VersionState.DRAFT,
                changed_at=None,
                changed_by=None,
            )
            await repository.add(connection, draft)
            return draft

    async def activate(self, kind: str, locale: str, version: Version, *, by: str) -> Template:
        """Let a version speak, in every process within seconds; the one before is retired.

        Raises NotFound, and InvalidInput with everything that is wrong with it.
        """
        known = self._known(kind, locale)
        if version:
            source = await self.source(kind, locale, version)
            refuse(await self.faults(kind, known, source))
        try:
            await self._activate(kind, known, version, by=by)
        except IntegrityError:
            raise Conflict("Somebody else activated a version at this moment.") from None
        await self._wordings.refresh(at_once=True)
        log.info("template.activated", kind=kind, locale=known, version=version or BUILT_IN, by=by)
        return await self.one(kind, locale)

    async def _activate(self, kind: str, locale: Locale, version: Version, *, by: str) -> None:
        now = self._clock.now()
        async with self._database.write() as connection:
            rows = await repository.versions(connection, kind, locale, lock=True)
            for row in rows:
                if row.state == VersionState.ACTIVE and row.version != version:
                    await repository.set_state(connection, row, VersionState.RETIRED, by=by, at=now)
            for row in rows:
                if row.version == version and row.state != VersionState.ACTIVE:
                    await repository.set_state(connection, row, VersionState.ACTIVE, by=by, at=now)

    async def faults(self, kind: str, locale: Locale, source: str) -> list[Fault]:
        """Return what keeps a wording from speaking: its language, how it reads, its tone."""
        # Some seventy renderings take a tenth of a second: messages go on meanwhile.
        return await asyncio.to_thread(self._faults, kind, locale, source)

    def _faults(self, kind: str, locale: Locale, source: str) -> list[Fault]:
        place, samples = (kind, locale), samples_of(kind, locale)
        return (
            language_faults(source)
            or reading_faults(self._templates, source, place, samples)
            or tone_faults(self._templates, source, place)
        )

    def typical_sms(self, template: Template) -> str:
        """Write the SMS of the version that speaks, where everything is known."""
        kind, locale = template.kind, template.locale
        own = (
            (str(template.active.version), self._templates.read(template.active.source))
            if template.active
            else None
        )
        scene = whole_scene(kind, locale)
        try:
            return self._templates.render(kind, locale, MessageChannel.SMS, scene, own).text
        except CannotRender:
            # An upgrade can break a version that was fine: then the project's speaks, as here.
            return self._templates.render(kind, locale, MessageChannel.SMS, scene).text

    def _template(self, kind: str, locale: Locale, rows: Sequence[Stored]) -> Template:
        built_in = self._built_in(kind, locale)
        return Template(kind, locale, built_in, self._templates.digest(kind, locale), rows)

    def _built_in(self, kind: str, locale: Locale) -> str:
        source = self._templates.source(kind, locale)
        assert source is not None, "every kind has a wording in every language"
        return source

    def _known(self, kind: str, locale: str) -> Locale:
        """Return the language as one of ours; raises NotFound, also for an unknown kind."""
        languages: Mapping[str, Locale] = {one: one for one in get_args(Locale)}
        if locale not in languages:
            raise NotFound(f"There is no language {locale}; there are {', '.join(languages)}.")
        if self._templates.source(kind, languages[locale]) is None:
            raise NotFound(f"There is no template {kind}; GET /v1/templates lists them.")
        return languages[locale]


class BadWording(InvalidInput):
    """A wording has faults."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        super().__init__(
            _in_words(faults[0]) + more,
            [FieldError("/source", fault.code, _in_words(fault)) for fault in faults],
        )
        self.faults = tuple(faults)


def refuse(faults: Sequence[Fault]) -> None:
    """Raise BadWording naming all faults with their lines; return where there is none."""
    if faults:
        raise BadWording(faults)


def _in_words(fault: Fault) -> str:
    return f"line {fault.line}: {fault.detail}" if fault.line else fault.detail


def _no_version(version: Version) -> NotFound:
    return NotFound(f"There is no version {version or BUILT_IN} of this template.")


def _stale(detail: str) -> PreconditionFailed:
    return PreconditionFailed(f"{detail}: read it again")
