"""Hold a wording to the tone in which customers are written to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from services.notification_service.templates.domain.language import Fault, fault
from services.notification_service.templates.domain.samples import scenes_for_tone
from services.notification_service.templates.domain.scene import Locale
from services.notification_service.templates.service.rendering import Templates
from services.notification_service.tone.domain.purposes import purpose_of
from services.notification_service.tone.domain.words import Duty
from services.notification_service.tone.service import check
from shared.events.words import MessageChannel

_OWED: Mapping[Duty, str] = MappingProxyType(
    {
        Duty.APOLOGY: "an apology for the concrete thing",
        Duty.NEXT_STEP: "what we do next",
        Duty.TIME: "a time by which",
    }
)


def tone_faults(templates: Templates, source: str, place: tuple[str, Locale]) -> list[Fault]:
    """Return what a wording that can be rendered says that should not be said, or fails to say."""
    found = dict.fromkeys(_faults(templates, source, place))
    return sorted(found, key=lambda one: one.line or 0)


def _faults(templates: Templates, source: str, place: tuple[str, Locale]) -> Iterator[Fault]:
    kind, locale = place
    own = ("draft", templates.read(source))
    for sample in scenes_for_tone(kind, locale):
        for channel in MessageChannel:
            message = templates.render(kind, locale, channel, sample.scene, own)
            text = f"{message.subject or ''}\n\n{message.text}"
            verdict = check(text, locale=locale, purpose=purpose_of(kind))
            for finding in verdict.findings:
                yield fault(
                    "tone",
                    "“%(phrase)s”: %(why)s %(suggestion)s",
                    _line_of(finding.phrase, source),
                    phrase=finding.phrase,
                    why=finding.why,
                    suggestion=finding.suggestion,
                )
            for duty in verdict.missing:
                block = "sms" if channel is MessageChannel.SMS else "email"
                said = "block %(block)s does not say %(owed)s (scene: %(scene)s)"
                yield fault("duty", said, block=block, owed=_OWED[duty], scene=sample.name)


def _line_of(phrase: str, source: str) -> int | None:
    """Return where a phrase stands in the wording; None where variables are part of it."""
    place = source.find(phrase)
    return source.count("\n", 0, place) + 1 if place >= 0 else None
