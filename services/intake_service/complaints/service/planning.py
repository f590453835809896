"""What a group of drafts becomes in rows, events and outcomes. No input or output here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

import orjson

from services.intake_service.complaints.domain.draft import Draft
from services.intake_service.complaints.domain.repeats import Matters
from services.intake_service.complaints.repository.bulk import Row
from services.intake_service.complaints.repository.group import (
    KEY_COLUMNS,
    CandidateRow,
    ComplaintRow,
    CustomerChange,
    CustomerRow,
    GroupRows,
    IdentityRow,
    SourcePair,
    StoredAnswer,
)
from services.intake_service.complaints.schemas.answer import Links, created_answer
from services.intake_service.complaints.service.drafting import (
    Classifier,
    regraded_for_tier,
    token_hash,
)
from services.intake_service.complaints.service.sealing import seal_words
from services.intake_service.customers.repository import KnownCustomer
from services.intake_service.customers.service import KeyRing, People, Person, seal_details
from shared.events.complaints import ComplaintReceived, signals_in
from shared.events.words import CaseState
from shared.http.idempotency import Answer, IdempotencyKey, idempotency_row
from shared.kernel.ids import new_number
from shared.messaging import OutboxRow, outbox_row

KeyName = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Submission:
    """A draft as handed in; `key` is the Idempotency-Key it came with."""

    draft: Draft
    key: IdempotencyKey | None = None

    def renamed(self) -> Submission:
        """Return the same under another number, in case the number was taken."""
        return replace(self, draft=replace(self.draft, number=new_number()))


@dataclass(frozen=True, slots=True)
class Known:
    """What stood in the database when the group's turn came."""

    customers: Mapping[bytes, KnownCustomer] = field(default_factory=dict)
    sources: Mapping[SourcePair, str] = field(default_factory=dict)
    answers: Mapping[KeyName, StoredAnswer] = field(default_factory=dict)
    roots: Mapping[str, str] = field(default_factory=dict)
    """By the id of a new complaint: the first one about the same matter."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The complaint was recorded."""

    draft: Draft
    links: Links
    repeat_of: str | None = None

    @property
    def complaint_id(self) -> str:
        """The complaint's id."""
        return self.draft.id

    @property
    def answer(self) -> Answer:
        """Its answer, written where somebody asks: an import asks for none."""
        return created_answer(self.draft, self.links, repeat_of=self.repeat_of)


@dataclass(frozen=True, slots=True)
class Existing:
    """A complaint stands under this source already."""

    complaint_id: str


@dataclass(frozen=True, slots=True)
class Replayed:
    """The same request was answered before, so."""

    answer: Answer


Outcome = Accepted | Existing | Replayed


class Plan:
    """Takes submissions in the order of their arrival and gathers what is to be written."""

    def __init__(
        self,
        known: Known,
        *,
        keys: KeyRing,
        classifier: Classifier,
        links: Links,
        now: datetime,
    ) -> None:
        self._people = People(keys, known.customers)
        self._roots = known.roots
        self._matters = Matters()
        self._sources = dict(known.sources)
        self._answers = known.answers
        self._classifier = classifier
        self._links = links
        self._now = now
        self._complaints: list[ComplaintRow] = []
        self._events: list[OutboxRow] = []
        self._keys: list[Row] = []

    def add(self, submission: Submission) -> Outcome:
        """Plan one complaint; the first of several with one source wins.

        Raises KeyReused where its key came before with another body.
        """
        if submission.key is not None:
            stored = self._answers.get((submission.key.client, submission.key.key))
            if stored is not None:
                return Replayed(stored.answer_to(submission.key))
        source = submission.draft.new.source
        if source is not None:
            pair = (source.system, source.id)
            if pair in self._sources:
                return Existing(self._sources[pair])
            self._sources[pair] = submission.draft.id
        return self._accept(submission)

    def _accept(self, submission: Submission) -> Accepted:
        draft = submission.draft
        person = self._people.identify(draft.new.contact, draft.identities, complaint_id=draft.id)
        draft = regraded_for_tier(draft, person.tier, classifier=self._classifier)
        repeat_of = self._repeat_of(draft, person)
        words = seal_words(draft.words(), person.key, complaint_id=draft.id)
        row = _complaint_row(draft, person, words, self._now, repeat_of=repeat_of)
        self._complaints.append(row)
        event = _event(draft, person, repeat_of=repeat_of)
        self._events.append(
            outbox_row(event, sequence=1, at=self._now, traceparent=draft.traceparent)
        )
        accepted = Accepted(draft, self._links, repeat_of)
        if submission.key is not None:
            self._keys.append(_key_row(submission.key, accepted.answer, self._now))
        return accepted

    def _repeat_of(self, draft: Draft, person: Person) -> str | None:
        # What is imported was handled elsewhere, comes in any order and begins nothing anew here.
        if draft.new.imported or not draft.identities:
            return None
        return self._matters.link(
            draft.id, draft.matter, customer_id=person.id, stored=self._roots.get(draft.id)
        )

    def rows(self) -> GroupRows:
        """Return everything to be written, sealed."""
        now = self._now
        rows = GroupRows(complaints=self._complaints, events=self._events, keys=self._keys)
        for person in self._people.persons.values():
            if person.is_new:
                rows.customers.append(_customer_row(person, now))
            elif person.changed:
                rows.changes.append(_customer_change(person, now))
        for new in self._people.identities:
            identity = new.identity
            rows.identities.append(
                IdentityRow(identity.blind_index, identity.kind.value, new.customer_id, now)
            )
        for pair in self._people.candidates:
            rows.candidates.append(
                CandidateRow(pair.customer_id, pair.other_id, pair.complaint_id, now)
            )
        return rows


def _customer_row(person: Person, now: datetime) -> CustomerRow:
    return CustomerRow(
        person.id, person.key.wrapped, seal_details(person), person.tier, person.locale, now, now
    )


def _customer_change(person: Person, now: datetime) -> CustomerChange:
    return CustomerChange(person.id, seal_details(person), person.tier, person.locale, now)


def _complaint_row(
    draft: Draft, person: Person, words: bytes, now: datetime, *, repeat_of: str | None
) -> ComplaintRow:
    new, graded = draft.new, draft.classification
    return ComplaintRow(
        id=draft.id,
        number=draft.number,
        customer_id=person.id,
        source_system=new.source.system if new.source else None,
        source_id=new.source.id if new.source else None,
        channel=new.channel,
        received_at=draft.received_at,
        occurred_at=new.occurred_at,
        tier=person.tier,
        language=graded.language,
        locale=draft.locale,
        category=graded.category,
        decided_by=graded.decided_by,
        suggested_category=graded.suggested_category,
        severity=graded.severity.value,
        urgency=graded.urgency.value,
        priority=graded.priority.value,
        motive=graded.motive.value if graded.motive else None,
        region=new.place.region,
        h3=draft.h3,
        product=new.references.product,
        order_key=draft.reference_keys.order,
        contract_key=draft.reference_keys.contract,
        demands=orjson.dumps(new.demands).decode(),
        imported=new.imported,
        recorded=new.recorded.model_dump_json() if new.recorded else None,
        repeat_of=repeat_of,
        token_hash=token_hash(draft.token),
        words=words,
        sequence=1,
        status=CaseState.RECEIVED.value,
        created_at=now,
    )


def _event(draft: Draft, person: Person, *, repeat_of: str | None) -> ComplaintReceived:
    new, graded = draft.new, draft.classification
    return ComplaintReceived(
        complaint_id=draft.id,
        number=draft.number,
        received_at=draft.received_at,
        occurred_at=new.occurred_at,
        channel=new.channel,
        category=graded.category,
        suggested_category=graded.suggested_category,
        severity=graded.severity.value,
        urgency=graded.urgency.value,
        priority=graded.priority.value,
        motive=graded.motive.value if graded.motive else None,
        tier=person.tier,
        language=graded.language,
        region=new.place.region,
        h3=draft.h3,
        product=new.references.product,
        demands=new.demands,
        source_system=new.source.system if new.source else None,
        customer_id=person.id,
        repeat_of=repeat_of,
        imported=new.imported,
        recorded=new.recorded,
        signals=signals_in(reason.rule for reason in graded.reasons),
    )


def _key_row(key: IdempotencyKey, answer: Answer, now: datetime) -> Row:
    row = idempotency_row(key, answer, now)
    row["headers"] = orjson.dumps(row["headers"]).decode()
    return tuple(row[name] for name in KEY_COLUMNS)
