"""Every message that comes with the project is fit to be read, by its own tone check."""

from __future__ import annotations

import pytest

from services.notification_service.messages.domain.words import Kind
from services.notification_service.templates.domain.samples import whole_scene
from services.notification_service.templates.domain.scene import Locale, Scene
from services.notification_service.templates.service import LOCALES
from services.notification_service.tone.domain.purposes import purpose_of
from services.notification_service.tone.domain.words import Purpose
from services.notification_service.tone.service import check
from shared.events.words import MessageChannel
from tests.unit.notification.test_wording import TEMPLATES


def _faults(kind: Kind, locale: Locale, channel: MessageChannel, given: Scene) -> list[str]:
    rendered = TEMPLATES.render(kind, locale, channel, given)
    verdict = check(f"{rendered.subject or ''}\n\n{rendered.text}", purpose=purpose_of(kind))
    return [f"{found.rule}: {found.phrase}" for found in verdict.findings] + list(verdict.missing)


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("channel", MessageChannel)
@pytest.mark.parametrize("kind", Kind)
def test_a_message_passes_the_tone_check_of_its_purpose(
    kind: Kind, channel: MessageChannel, locale: Locale
) -> None:
    assert _faults(kind, locale, channel, whole_scene(kind, locale)) == []


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("channel", MessageChannel)
def test_a_result_that_the_customer_did_not_hope_for_is_told_in_the_same_tone(
    channel: MessageChannel, locale: Locale
) -> None:
    given = whole_scene(Kind.RESOLVED, locale).model_copy(update={"outcome": "answered"})

    assert _faults(Kind.RESOLVED, locale, channel, given) == []


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("channel", MessageChannel)
def test_a_proposal_after_another_round_passes(channel: MessageChannel, locale: Locale) -> None:
    given = whole_scene(Kind.PROPOSAL, locale).model_copy(update={"round": 2, "final": True})

    assert _faults(Kind.PROPOSAL, locale, channel, given) == []


def test_staff_are_not_written_to_as_customers_are() -> None:
    for kind in Kind:
        assert (purpose_of(kind) is Purpose.INTERNAL) == kind.startswith(("staff_", "operator_"))
