"""Statements over wordings and trials."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notification_service.templates.domain.scene import Locale
from services.notification_service.templates.domain.versions import VersionState
from services.notification_service.templates.models import template_tests, template_versions

_v = template_versions.c
_t = template_tests.c


class Stored(NamedTuple):
    """One version of a company's wording."""

    kind: str
    locale: str
    version: int
    source: str
    base: str
    author: str
    created_at: datetime
    state: str
    changed_at: datetime | None
    changed_by: str | None


@dataclass(frozen=True, slots=True)
class Template:
    """One wording: what comes with the project, and a company's versions, the newest first."""

    kind: str
    locale: Locale
    built_in: str
    digest: str
    versions: Sequence[Stored]

    @property
    def latest(self) -> int:
        """The number of the newest version, 0 where there is none."""
        return self.versions[0].version if self.versions else 0

    @property
    def active(self) -> Stored | None:
        """The version that speaks; None where the project's does."""
        return next((one for one in self.versions if one.state == VersionState.ACTIVE), None)

    @property
    def source(self) -> str:
        """The wording that speaks."""
        return self.active.source if self.active else self.built_in

    @property
    def built_in_changed(self) -> bool:
        """Whether a release brought a newer wording since the active version was written."""
        return self.active is not None and self.active.base != self.digest


_STORED = tuple(_v[name] for name in Stored._fields)


async def active(connection: AsyncConnection) -> dict[tuple[str, str], int]:
    """Return the versions that speak: cheap to ask for, there are at most a few dozen."""
    chosen = select(_v.kind, _v.locale, _v.version).where(_v.state == VersionState.ACTIVE)
    return {(row[0], row[1]): row[2] for row in await connection.execute(chosen)}


async def heads(connection: AsyncConnection) -> Sequence[Stored]:
    """Return the latest and the active version of every wording that has one."""
    last = (
        select(_v.kind, _v.locale, func.max(_v.version).label("version"))
        .group_by(_v.kind, _v.locale)
        .subquery()
    )
    chosen = (
        select(*_STORED)
        .join(last, (last.c.kind == _v.kind) & (last.c.locale == _v.locale))
        .where((_v.version == last.c.version) | (_v.state == VersionState.ACTIVE))
    )
    return [Stored._make(row) for row in await connection.execute(chosen)]


async def versions(
    connection: AsyncConnection, kind: str, locale: str, *, lock: bool = False
) -> Sequence[Stored]:
    """Return every version, the newest first; `lock` keeps others from changing them."""
    chosen = (
        select(*_STORED).where(_v.kind == kind, _v.locale == locale).order_by(_v.version.desc())
    )
    if lock:
        chosen = chosen.with_for_update()
    return [Stored._make(row) for row in await connection.execute(chosen)]


async def one(connection: AsyncConnection, kind: str, locale: str, version: int) -> Stored | None:
    """Return one version, None where there is none."""
    chosen = select(*_STORED).where(_v.kind == kind, _v.locale == locale, _v.version == version)
    row = (await connection.execute(chosen)).one_or_none()
    return Stored._make(row) if row is not None else None


async def add(connection: AsyncConnection, version: Stored) -> None:
    """Write a version; raises IntegrityError where somebody else took its number."""
    await connection.execute(insert(template_versions).values(version._asdict()))


async def set_state(
    connection: AsyncConnection, version: Stored, state: VersionState, *, by: str, at: datetime
) -> None:
    """Change the state of one version."""
    change = update(template_versions).where(
        _v.kind == version.kind, _v.locale == version.locale, _v.version == version.version
    )
    await connection.execute(change.values(state=state, changed_by=by, changed_at=at))


async def trials_since(connection: AsyncConnection, by: str, since: datetime) -> list[datetime]:
    """Return when somebody sent trials after `since`, the oldest first."""
    chosen = select(_t.created_at).where(_t.by == by, _t.created_at > since)
    return list(await connection.scalars(chosen.order_by(_t.created_at)))


class Trial(NamedTuple):
    """A message that was sent to try a wording."""

    id: str
    kind: str
    locale: str
    version: str
    channel: str
    address_masked: str
    by: str
    created_at: datetime
    state: str
    reason: str | None


async def trials(connection: AsyncConnection, before: str | None, limit: int) -> Sequence[Trial]:
    """Return trials, the newest first."""
    chosen = select(*(_t[name] for name in Trial._fields)).order_by(_t.id.desc()).limit(limit)
    if before is not None:
        chosen = chosen.where(_t.id < before)
    return [Trial._make(row) for row in await connection.execute(chosen)]


async def trial(connection: AsyncConnection, trial_id: str) -> Trial:
    """Return one trial."""
    chosen = select(*(_t[name] for name in Trial._fields)).where(_t.id == trial_id)
    return Trial._make((await connection.execute(chosen)).one())


async def add_trial(connection: AsyncConnection, trial: Trial) -> None:
    """Write that a trial is being sent."""
    await connection.execute(insert(template_tests).values(trial._asdict()))


async def settle_trial(
    connection: AsyncConnection, trial_id: str, state: str, reason: str | None
) -> None:
    """Write what a trial came to."""
    change = update(template_tests).where(_t.id == trial_id)
    await connection.execute(change.values(state=state, reason=reason))
