"""Try a wording: look at it in a scene, or send it to an address of one's own."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from services.notification_service.gateways.domain.port import (
    NotAccepted,
    Outgoing,
    Refused,
    Uncertain,
)
from services.notification_service.gateways.service import Gateways
from services.notification_service.recipients.domain.masking import masked
from services.notification_service.templates import repository
from services.notification_service.templates.domain.language import fault
from services.notification_service.templates.domain.samples import samples_of, whole_scene
from services.notification_service.templates.domain.scene import (
    BUILT_IN,
    CannotRender,
    Locale,
    Rendered,
    Scene,
)
from services.notification_service.templates.domain.trials import (
    Preview,
    marked_as_test,
    trial_address,
)
from services.notification_service.templates.repository import Trial
from services.notification_service.templates.service.checking import language_faults
from services.notification_service.templates.service.editing import (
    BadWording,
    TemplateDesk,
    Version,
    refuse,
)
from services.notification_service.templates.service.rendering import Templates
from shared.db.database import Database
from shared.events.words import MessageChannel
from shared.http.pagination import PageRequest
from shared.kernel import logging
from shared.kernel.errors import FieldError, InvalidInput, RateLimited
from shared.kernel.ids import new_id
from shared.messaging import UnitOfWork

log = logging.get(__name__)

MOST_TRIALS: Final = 20
_WINDOW: Final = timedelta(hours=1)

SceneOf = Callable[[str, str, Scene], Awaitable[Scene]]
"""Returns the scene of a real complaint: (complaint id, kind, what is filled in with)."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which wording in which scene.

    `source` is one of the caller's own, else a version of `kind` (None: the project's). The scene
    is that of a complaint, else one of the samples by name, else the one where all is known.
    """

    kind: str
    locale: Locale
    version: Version = None
    source: str | None = None
    complaint_id: str | None = None
    sample: str | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """A trial message, the number it is about if any, its single facts for vendors' wordings."""

    message: Rendered
    number: str
    values: Mapping[str, str]


class Trials:
    """Previews and trial messages."""

    def __init__(
        self,
        desk: TemplateDesk,
        templates: Templates,
        *,
        gateways: Gateways,
        scene_of: SceneOf,
        database: Database,
    ) -> None:
        self._desk = desk
        self._templates = templates
        self._gateways = gateways
        self._scene_of = scene_of
        self._database = database

    async def preview(self, wanted: Wanted) -> Preview:
        """Return both messages; raises NotFound, and InvalidInput where it cannot be rendered."""
        source = await self._source(wanted)
        refuse(language_faults(source))
        name, scene = await self._scene(wanted)
        sms, email = (
            self._render(wanted, source, channel, scene)
            for channel in (MessageChannel.SMS, MessageChannel.EMAIL)
        )
        faults = await self._desk.faults(wanted.kind, wanted.locale, source)
        return Preview(sms, email, name, faults)

    async def begin(
        self, work: UnitOfWork, wanted: Wanted, channel: MessageChannel, address: str, by: str
    ) -> Trial:
        """Write that a trial is being sent; raises RateLimited after twenty within an hour."""
        since = work.now - _WINDOW
        earlier = await repository.trials_since(work.connection, by, since)
        if len(earlier) >= MOST_TRIALS:
            again = (earlier[-MOST_TRIALS] + _WINDOW - work.now).total_seconds()
            detail = f"{MOST_TRIALS} trial messages an hour are enough."
            raise RateLimited(detail, retry_after_seconds=max(1, math.ceil(again)))
        trial = Trial(
            id=new_id(),
            kind=wanted.kind,
            locale=wanted.locale,
            version=str(wanted.version or BUILT_IN),
            channel=channel,
            address_masked=masked(address),
            by=by,
            created_at=work.now,
            state="sending",
            reason=None,
        )
        await repository.add_trial(work.connection, trial)
        return trial

    async def write(self, wanted: Wanted, channel: MessageChannel) -> Written:
        """Write the trial message, marked as one."""
        source = await self._source(wanted)
        _, scene = await self._scene(wanted)
        rendered = self._render(wanted, source, channel, scene)
        values = self._templates.values(wanted.locale, scene)
        return Written(marked_as_test(rendered, wanted.locale), scene.number or "", values)

    async def send(self, trial: Trial, address: str, written: Written) -> None:
        """Hand a trial over once; whatever comes of it is written down, and it is never repeated.

        A crash in between leaves it `sending`: nobody is waiting for it.
        """
        channel = MessageChannel(trial.channel)
        message = written.message
        outgoing = Outgoing(
            reference=trial.id,
            channel=channel,
            address=address,
            text=message.text,
            subject=message.subject,
            html=message.html,
            number=written.number,
            kind=trial.kind,
            occurrence=1,
            created_at=trial.created_at,
            locale=trial.locale,
            values=written.values,
        )
        state, reason = "sent", None
        try:
            await self._gateways.by_channel[channel].send(outgoing)
        except (Refused, NotAccepted) as failure:
            state, reason = "failed", failure.reason
        except Uncertain as failure:
            state, reason = "unknown", failure.reason
        except Exception as failure:  # the outermost edge: a defect of a gateway's adapter
            log.exception("trial.defect", trial=trial.id, channel=channel)
            state, reason = "unknown", type(failure).__name__
        async with self._database.write() as connection:
            await repository.settle_trial(connection, trial.id, state, reason)

    async def trial(self, trial_id: str) -> Trial:
        """Return what became of a trial."""
        async with self._database.read() as connection:
            return await repository.trial(connection, trial_id)

    async def page(self, page: PageRequest) -> Sequence[Trial]:
        """Return one page of trials and one more, the newest first."""
        before = str(page.after[0]) if page.after else None
        async with self._database.read() as connection:
            return await repository.trials(connection, before, page.fetch)

    async def _source(self, wanted: Wanted) -> str:
        # Asked for in any case: it tells of an unknown kind or language.
        stored = await self._desk.source(wanted.kind, wanted.locale, wanted.version)
        return stored if wanted.source is None else wanted.source

    async def _scene(self, wanted: Wanted) -> tuple[str, Scene]:
        if wanted.complaint_id is not None:
            whole = whole_scene(wanted.kind, wanted.locale)
            if whole.number is None:
                detail = f"{wanted.kind} is about no single complaint; try it in a sample scene."
                raise InvalidInput(
                    detail, (FieldError("/complaint_id", "about_no_complaint", detail),)
                )
            found = await self._scene_of(wanted.complaint_id, wanted.kind, whole)
            return f"complaint {found.number}", found
        samples = {one.name: one.scene for one in samples_of(wanted.kind, wanted.locale)}
        name = wanted.sample or next(iter(samples))
        if name not in samples:
            detail = f"There is no sample {name}; there are: {', '.join(samples)}."
            raise InvalidInput(detail, (FieldError("/sample", "unknown_sample", detail),))
        return name, samples[name]

    def _render(
        self, wanted: Wanted, source: str, channel: MessageChannel, scene: Scene
    ) -> Rendered:
        version = "draft" if wanted.source is not None else str(wanted.version or BUILT_IN)
        own = (version, self._templates.read(source))
        try:
            return self._templates.render(wanted.kind, wanted.locale, channel, scene, own)
        except CannotRender as broken:
            found = fault("scene", "%(reason)s", broken.line, reason=broken.reason)
            raise BadWording([found]) from broken


def checked_address(channel: MessageChannel, address: str) -> str:
    """Return an address as gateways take it; raises InvalidInput for one that is none."""
    found = trial_address(channel, address)
    if found is None:
        wanted = "+8613800138000" if channel is MessageChannel.SMS else "you@example.com"
        detail = f"must look like {wanted}, for the channel {channel}"
        raise InvalidInput(detail, (FieldError("/address", "invalid_address", detail),))
    return found
