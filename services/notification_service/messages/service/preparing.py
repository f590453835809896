"""Prepare leased messages: ask for contacts and words, choose the channel, write the message."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

from pydantic import JsonValue, ValidationError

from services.notification_service.messages.domain.home import Home
from services.notification_service.messages.domain.routing import RoutingTable, channel_for
from services.notification_service.messages.domain.standing_in import can_wait, stand_ins
from services.notification_service.messages.domain.words import ROOM, Kind, Reason
from services.notification_service.messages.repository.deliveries import Leased
from services.notification_service.messages.repository.routing import route_of
from services.notification_service.preferences.domain.choices import NOTHING_CHOSEN, Preferences
from services.notification_service.preferences.domain.wishes import Purpose, channels_left
from services.notification_service.recipients.domain.groups import is_group, members
from services.notification_service.recipients.schemas import Contact, Person, Words
from services.notification_service.recipients.service import Directory
from services.notification_service.templates.domain.scene import (
    CannotRender,
    Locale,
    OfferedOption,
    Rendered,
    Scene,
)
from services.notification_service.templates.service.speaking import Wordings
from shared.events.words import Audience, MessageChannel, Urgency
from shared.http.client import ServiceRefused
from shared.kernel import logging
from shared.kernel.errors import Unavailable
from shared.web.zones import zone_for

log = logging.get(__name__)

_IN_ONE_GO = 8
"""Messages written before others have their turn: each takes about a millisecond."""

A = TypeVar("A")
LinkMaker = Callable[[Leased, str | None], Mapping[str, str]]
"""Makes the links that a wording may have beside the tracking link, which it is given for
customers, by their names in it."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A message that can be handed over; a digest carries `others` along."""

    row: Leased
    channel: MessageChannel
    address: str
    rendered: Rendered
    locale: Locale = "zh-CN"
    values: Mapping[str, str] = field(default_factory=dict)
    fingerprint: bytes = b""
    others: tuple[Ready, ...] = ()
    digest_id: str | None = None
    unsubscribe_url: str | None = None
    link: str | None = None
    """Where to act on it, where that is not the complaint's case."""

    @property
    def all(self) -> tuple[Ready, ...]:
        """Itself and the messages that travel in it."""
        return (self, *self.others)

    @property
    def reference(self) -> str:
        """What the gateway knows it by, the same on every try."""
        return self.digest_id or self.row.id


@dataclass(frozen=True, slots=True)
class Hopeless:
    """A message that is not sent; `failed` where something was tried or is broken.

    `stand_ins` are told in the recipient's stead, None where it can wait.
    """

    row: Leased
    reason: str
    failed: bool
    stand_ins: tuple[str, ...] | None = None


@dataclass(slots=True)
class Prepared:
    """What became of a batch. `later` waits for a service that did not answer."""

    ready: list[Ready] = field(default_factory=list)
    hopeless: list[Hopeless] = field(default_factory=list)
    later: list[Leased] = field(default_factory=list)
    spread: list[tuple[Leased, Sequence[str]]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the owning services answered; None where one did not."""

    contacts: Mapping[str, Contact] | None
    words: Mapping[str, Words] | None
    people: Mapping[str, Person] | None


class Preparer:
    """Makes messages of intents, many at once."""

    def __init__(
        self,
        *,
        directory: Directory,
        templates: Wordings,
        routing: RoutingTable,
        home: Home,
        survey_needs_consent: bool = False,
        room_locales: Mapping[str, Locale] | None = None,
        links: LinkMaker | None = None,
    ) -> None:
        self._room_locales = room_locales or {}
        self._directory = directory
        self._templates = templates
        self._routing = routing
        self._home = home
        self._default_locale = home.locale
        self._survey_needs_consent = survey_needs_consent
        self._links: LinkMaker = links or (lambda _row, _tracking_url: {})

    async def prepare(
        self, rows: Sequence[Leased], chosen: Mapping[str, Preferences] | None = None
    ) -> Prepared:
        """Return what each leased message came to; never raises for a single one.

        `chosen` are the customers' preferences by the id of the message.
        """
        await self._templates.refresh()
        asked = await self._ask(rows)
        prepared = Prepared()
        for place, row in enumerate(rows):
            if place % _IN_ONE_GO == 0:
                await asyncio.sleep(0)
            self._prepare(row, asked, prepared, (chosen or {}).get(row.id, NOTHING_CHOSEN))
        return prepared

    async def _ask(self, rows: Sequence[Leased]) -> _Asked:
        of_customers = {row.complaint_id for row in rows if row.audience == Audience.CUSTOMER}
        words = {str(row.facts["words_id"]) for row in rows if "words_id" in row.facts}
        for_staff = any(row.audience == Audience.STAFF for row in rows)
        contacts, said, people = await asyncio.gather(
            _or_none(self._directory.contacts(sorted(of_customers))),
            _or_none(self._directory.words(sorted(words))),
            _or_none(self._directory.people() if for_staff else _nobody()),
        )
        return _Asked(contacts, said, people)

    def _prepare(self, row: Leased, asked: _Asked, prepared: Prepared, chosen: Preferences) -> None:
        needed = asked.contacts if row.audience == Audience.CUSTOMER else asked.people
        if needed is None or ("words_id" in row.facts and asked.words is None):
            prepared.later.append(row)
        elif is_group(row.recipient):
            self._spread(row, asked.people or {}, prepared)
        else:
            self._write(row, asked, prepared, chosen)

    def _spread(self, row: Leased, people: Mapping[str, Person], prepared: Prepared) -> None:
        found = members(row.recipient, people.values())
        if found:
            prepared.spread.append((row, found))
        else:
            nobody = None if can_wait(row.kind) else ()
            hopeless = Hopeless(row, Reason.NO_ADDRESS, failed=False, stand_ins=nobody)
            prepared.hopeless.append(hopeless)

    def _write(self, row: Leased, asked: _Asked, prepared: Prepared, chosen: Preferences) -> None:
        to_customer = row.audience == Audience.CUSTOMER
        contact = (asked.contacts or {}).get(row.complaint_id) if to_customer else None
        person = None if to_customer else (asked.people or {}).get(row.recipient)
        if to_customer and contact is None:
            prepared.hopeless.append(Hopeless(row, Reason.NOT_KNOWN, failed=False))
            return
        reached = contact or person
        addresses = _addresses(reached)
        room = row.recipient.removeprefix(ROOM) if row.recipient.startswith(ROOM) else None
        if room is not None:
            addresses = {MessageChannel.CHAT: room}
        left = self._channels_left(row, chosen) if room is None else (MessageChannel.CHAT,)
        channel = _channel(row, left, addresses)
        if channel is None:
            refused = set(addresses) - set(left) - set(row.tried)
            hopeless = _out_of_channels(row, refused=bool(refused))
            if room is None and not to_customer:
                hopeless = replace(hopeless, stand_ins=_stand_ins(row, asked.people or {}))
            prepared.hopeless.append(hopeless)
            return
        words = (asked.words or {}).get(str(row.facts.get("words_id")))
        if "words_id" in row.facts and words is None:
            prepared.hopeless.append(Hopeless(row, Reason.NO_WORDS, failed=False))
            return
        locale = chosen.locale or self._locale(row, reached)
        if room is not None:
            locale = self._room_locales.get(room) or self._default_locale
        try:
            scene = scene_of(row, contact, reached.name if reached else None, words, chosen)
            links = _leader(row, asked) | dict(self._links(row, scene.tracking_url))
            others = {**_in_stead(row, asked.people), **self._naming(scene, contact, locale)}
            scene = scene.model_copy(update={**links, **others})
            rendered = self._templates.render(row.kind, locale, channel, scene)
        except CannotRender as broken:
            prepared.hopeless.append(Hopeless(row, broken.detail[:200], failed=True))
            return
        except ValidationError:
            # The values may be the customer's: the reason does not repeat them.
            prepared.hopeless.append(Hopeless(row, "facts do not fit the template", failed=True))
            return
        values = self._templates.values(locale, scene)
        is_owed = route_of(self._routing, row.route, row.kind).mandatory
        link = scene.complaints_url
        ready = Ready(row, channel, addresses[channel], rendered, locale, values, link=link)
        # What is owed cannot be unsubscribed from: a button that does nothing is worse than none.
        prepared.ready.append(
            ready if is_owed else replace(ready, unsubscribe_url=scene.preferences_url)
        )

    def _naming(
        self, scene: Scene, contact: Contact | None, locale: Locale
    ) -> Mapping[str, object]:
        """Return whether times name the zone to a customer of whom none is known."""
        if contact is None or scene.timezone is not None:
            return {}
        return {"names_zone": self._home.is_elsewhere_for(locale, contact.phone)}

    def _channels_left(self, row: Leased, chosen: Preferences) -> Sequence[MessageChannel]:
        """Return the channels of the route that the customer's choices leave, best first."""
        route = route_of(self._routing, row.route, row.kind)
        order = route.order(row.urgency)
        if row.gathered:
            # A digest is a mail, whatever the row would choose.
            return sorted(order, key=lambda channel: channel is not MessageChannel.EMAIL)
        if row.audience != Audience.CUSTOMER:
            return order
        is_survey = row.kind == Kind.SURVEY
        return channels_left(
            order,
            chosen,
            purpose=Purpose.SURVEY if is_survey else Purpose.SERVICE,
            is_owed=route.mandatory,
            needs_consent=is_survey and self._survey_needs_consent,
        )

    def _locale(self, row: Leased, reached: Contact | Person | None) -> Locale:
        spoken = (reached.locale if reached else None) or ""
        if not spoken and row.audience == Audience.CUSTOMER:
            spoken = row.language
        if spoken.startswith("zh"):
            return "zh-CN"
        return "en" if spoken.startswith("en") else self._default_locale


def _leader(row: Leased, asked: _Asked) -> dict[str, object]:
    """Return who leads what a message is about, by name, and whether that is its reader."""
    owner = row.facts.get("owner")
    if not isinstance(owner, str):
        return {}
    person = (asked.people or {}).get(owner)
    name = person.name if person else None
    return {"owner": name or owner, "leads": owner == row.recipient}


def _addresses(reached: Contact | Person | None) -> dict[MessageChannel, str]:
    found = {
        MessageChannel.SMS: reached.phone if reached else None,
        MessageChannel.EMAIL: reached.email if reached else None,
    }
    return {channel: address for channel, address in found.items() if address}


def _channel(
    row: Leased, left: Sequence[MessageChannel], addresses: Mapping[MessageChannel, str]
) -> MessageChannel | None:
    # A retry stays on its channel, also where another would be chosen by now.
    if row.channel is not None and row.channel in addresses and row.channel in left:
        return MessageChannel(row.channel)
    return channel_for(left, known=addresses, tried=row.tried)


def _out_of_channels(row: Leased, *, refused: bool) -> Hopeless:
    if row.tried:
        return Hopeless(row, row.reason or Reason.NO_ADDRESS, failed=True)
    reason = Reason.NO_CONSENT if refused else Reason.NO_ADDRESS
    return Hopeless(row, reason, failed=False)


def _stand_ins(row: Leased, people: Mapping[str, Person]) -> tuple[str, ...] | None:
    if can_wait(row.kind):
        return None
    instead_of = row.facts.get("instead_of")
    return stand_ins(row.recipient, people, instead_of=str(instead_of) if instead_of else None)


def _in_stead(row: Leased, people: Mapping[str, Person] | None) -> Mapping[str, str]:
    """Return whom a stand-in hears it for: by name where that is known."""
    meant = row.facts.get("instead_of")
    if not isinstance(meant, str):
        return {}
    person = (people or {}).get(meant)
    return {"instead_of": person.name if person and person.name else meant}


def scene_of(
    row: Leased,
    contact: Contact | None,
    name: str | None,
    words: Words | None,
    chosen: Preferences = NOTHING_CHOSEN,
) -> Scene:
    """Return what a message's wording may speak of; `contact` is there for customers only."""
    answer = words.answer_url if words else None
    options = tuple(
        OfferedOption(
            key=option.key,
            text=option.text or option.kind or "",
            amount=f"{option.amount.amount} {option.amount.currency}" if option.amount else None,
            answer_url=f"{answer}?option={option.key}" if answer else None,
        )
        for option in (words.options or () if words else ())
    )
    facts: dict[str, JsonValue] = {
        key: value
        for key, value in row.facts.items()
        if key in Scene.model_fields and key not in {"options", "text", "answer_url"}
    }
    given: dict[str, object] = {
        **facts,
        "number": row.number or None,
        "occurrence": row.occurrence,
        "name": name,
        "description": contact.description if contact else None,
        "tracking_url": contact.tracking_url if contact else None,
        "preferences_url": _preferences_url(contact),
        "timezone": _zone(row, chosen) if contact else None,
        "text": words.text if words else None,
        "answer_url": answer,
        "options": options,
        "category": row.category or None,
        "urgent": row.urgency in {Urgency.HIGH, Urgency.IMMEDIATE},
        "due_at": _instant(row.facts.get("due_at")),
        "next_due_at": _instant(row.facts.get("next_due_at")),
        "new_due_at": _instant(row.facts.get("new_due_at")),
    }
    return Scene.model_validate(given)


def _zone(row: Leased, chosen: Preferences) -> str | None:
    """Return the zone of the customer's quiet hours: nobody should count hours to meet a time."""
    zone = zone_for(chosen.timezone, row.region)
    return zone.key if zone else None


def _preferences_url(contact: Contact | None) -> str | None:
    """Return the customer's page of preferences: it opens with the token of the tracking link."""
    if contact is None or not contact.tracking_url:
        return None
    site, _, token = contact.tracking_url.rpartition("/track/")
    return f"{site}/preferences/{token}" if site else None


def _instant(value: JsonValue) -> datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) else None


async def _or_none(asking: Awaitable[A]) -> A | None:
    try:
        return await asking
    except (Unavailable, ServiceRefused) as failure:
        # Refused is as good as away: mending the credential must find the messages waiting.
        log.warning("recipients.unavailable", reason=failure.detail)
        return None


async def _nobody() -> Mapping[str, Person]:
    return {}
