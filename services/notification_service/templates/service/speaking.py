"""The wordings that speak: a company's active versions over those that come with the project."""

from __future__ import annotations

from datetime import datetime, timedelta

from jinja2 import Template, TemplateError
from prometheus_client import Counter

from services.notification_service.templates import repository
from services.notification_service.templates.domain.scene import (
    CannotRender,
    Locale,
    Rendered,
    Scene,
)
from services.notification_service.templates.service.rendering import Templates
from shared.db.database import Database
from shared.events.words import MessageChannel
from shared.kernel import logging
from shared.kernel.clock import Clock

log = logging.get(__name__)

_LOOK_AGAIN = timedelta(seconds=2)

_FAILURES = Counter(
    "redress_template_failures_total",
    "Messages for which a company's wording failed and the one of the project was used",
    ["kind", "locale"],
)

Place = tuple[str, str]


class Wordings:
    """Renders with the active versions; each process looks for new ones every two seconds.

    A company's wording never takes a message down: where it fails, ours says it, and an alarm is
    raised.
    """

    def __init__(self, templates: Templates, *, database: Database, clock: Clock) -> None:
        self._templates = templates
        self._database = database
        self._clock = clock
        self._active: dict[Place, tuple[str, Template]] = {}
        self._broken: set[tuple[Place, int]] = set()
        self._looked_at: datetime | None = None

    async def refresh(self, *, at_once: bool = False) -> None:
        """Take up what was activated since the last look, here or by another process."""
        now = self._clock.now()
        # A clock that was set back must not keep an old wording speaking for hours.
        recent = self._looked_at is not None and now - _LOOK_AGAIN < self._looked_at <= now
        if recent and not at_once:
            return
        async with self._database.read() as connection:
            versions = await repository.active(connection)
            found: dict[Place, tuple[str, Template]] = {}
            for place, version in versions.items():
                known = self._active.get(place)
                if known is not None and known[0] == str(version):
                    found[place] = known
                    continue
                stored = await repository.one(connection, *place, version)
                read = self._read(place, version, stored.source) if stored else None
                if read is not None:
                    found[place] = (str(version), read)
        self._active, self._looked_at = found, now

    def render(self, kind: str, locale: Locale, channel: MessageChannel, scene: Scene) -> Rendered:
        """Write one message; raises CannotRender where even the project's wording cannot."""
        own = self._active.get((kind, locale))
        if own is not None:
            try:
                return self._templates.render(kind, locale, channel, scene, own)
            except CannotRender as broken:
                self._alarm(kind, locale, own[0], broken.detail)
            # The outermost edge: whatever a wording does, the message goes. Without the error's
            # own words, which may be the customer's.
            except Exception as failure:  # noqa: BLE001
                self._alarm(kind, locale, own[0], type(failure).__name__)
        return self._templates.render(kind, locale, channel, scene)

    def values(self, locale: Locale, scene: Scene) -> dict[str, str]:
        """Return the scene's single facts as a reader sees them."""
        return self._templates.values(locale, scene)

    def _read(self, place: Place, version: int, source: str) -> Template | None:
        try:
            return self._templates.read(source)
        except (TemplateError, RecursionError) as failure:
            # Checked before it was stored, so only an upgrade can come to this. Said once.
            if (place, version) not in self._broken:
                self._broken.add((place, version))
                self._alarm(*place, str(version), type(failure).__name__)
            return None

    @staticmethod
    def _alarm(kind: str, locale: str, version: str, reason: str) -> None:
        _FAILURES.labels(kind, locale).inc()
        log.error("template.failed", kind=kind, locale=locale, version=version, reason=reason)
