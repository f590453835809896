"""Record complaints: one by one through the group commit, or many at once for an import."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake_service.complaints.domain.draft import Draft
from services.intake_service.complaints.domain.new_complaint import NewComplaint, RecordOutcome
from services.intake_service.complaints.repository.bulk import GroupConflict
from services.intake_service.complaints.repository.group import (
    find_answers,
    find_sources,
    write_group,
)
from services.intake_service.complaints.repository.reading import has_case
from services.intake_service.complaints.repository.repeats import Asked, find_roots
from services.intake_service.complaints.schemas.answer import Links
from services.intake_service.complaints.service.committer import Committer
from services.intake_service.complaints.service.drafting import (
    Classifier,
    draft,
    reference_keys_of,
)
from services.intake_service.complaints.service.planning import (
    Known,
    Outcome,
    Plan,
    Submission,
)
from services.intake_service.complaints.service.preparing import Names, Prepared, row_outcome
from services.intake_service.customers.domain.identification import recognise
from services.intake_service.customers.repository import KnownCustomer, find_owners
from services.intake_service.customers.service import KeyRing
from shared.db.database import Database
from shared.http.idempotency import IdempotencyKey
from shared.kernel import trace
from shared.kernel.errors import RedressError
from shared.messaging import Messaging

_ATTEMPTS_ALONE = 5


@dataclass(frozen=True, slots=True)
class RecordingTools:
    """What recording stands on.

    `repeats_within`: how long another complaint of the same category is about the same matter.
    """

    messaging: Messaging
    keys: KeyRing
    classifier: Classifier
    links: Links
    repeats_within: timedelta


class Recorder:
    """Records complaints, each with its customer, its first event and its answer, in one commit."""

    def __init__(self, tools: RecordingTools) -> None:
        self._tools = tools
        self._committer: Committer[Submission, Outcome] = Committer(
            self._write, claims=_claims, at_once=_groups_at_once(tools.messaging.database)
        )

    async def record(self, new: NewComplaint, *, key: IdempotencyKey | None = None) -> Outcome:
        """Record one complaint; returns after its commit.

        Raises KeyReused where the Idempotency-Key came with another body, and Unavailable.
        """
        return await self._committer.submit(self._submission(new, key))

    async def record_prepared(self, batch: Prepared) -> Known | None:
        """Write a prepared batch in one commit; returns what stands instead where it fits not.

        It fits where exactly what it was prepared for stands of what it names: this is looked at
        in the transaction that writes. Raises GroupConflict where another process was faster, and
        Unavailable; nothing of the batch is stored then.
        """
        async with self._tools.messaging.database.write() as connection:
            known = await _look_up(connection, batch.names)
            if known != batch.known:
                return known
            await write_group(connection, batch.rows)
        self._tools.messaging.wake_relay()
        return None

    async def record_one_by_one(self, drafts: Sequence[Draft]) -> Sequence[RecordOutcome]:
        """Record drafts each in its own commit, for a batch that another process is in the way of.

        Raises Unavailable; those before it are stored then.
        """
        return [row_outcome(await self._write_alone(Submission(made))) for made in drafts]

    async def has_case(self, complaint_id: str) -> bool:
        """Tell whether workflow's first word about a complaint has come."""
        async with self._tools.messaging.database.read() as connection:
            return await has_case(connection, complaint_id)

    async def close(self) -> None:
        """Answer everybody who waits."""
        await self._committer.close()

    def _submission(self, new: NewComplaint, key: IdempotencyKey | None) -> Submission:
        tools = self._tools
        made = draft(
            new,
            classifier=tools.classifier,
            identities=tools.keys.identities(new.contact),
            now=tools.messaging.clock.now(),
            traceparent=trace.current.get(),
            reference_keys=reference_keys_of(new, tools.keys),
        )
        return Submission(made, key)

    async def _write(self, group: Sequence[Submission]) -> Sequence[Outcome | Exception]:
        try:
            return await self._write_together(group)
        except GroupConflict:
            # Another process took a source, a key or an identity since we looked, or a number was
            # drawn twice. Nobody shall pay for another's conflict: each goes alone.
            return [await self._write_alone(submission) for submission in group]

    async def _write_together(self, group: Sequence[Submission]) -> Sequence[Outcome | Exception]:
        tools = self._tools
        async with tools.messaging.database.write() as connection:
            known = await _look_up(connection, Names.of(group))
            asked = _asked(group, known.customers, tools.repeats_within)
            plan = Plan(
                replace(known, roots=await find_roots(connection, asked)),
                keys=tools.keys,
                classifier=tools.classifier,
                links=tools.links,
                now=tools.messaging.clock.now(),
            )
            outcomes = [_planned(plan, submission) for submission in group]
            await write_group(connection, plan.rows())
        tools.messaging.wake_relay()
        return outcomes

    async def _write_alone(self, submission: Submission) -> Outcome | Exception:
        conflict: Exception | None = None
        for _ in range(_ATTEMPTS_ALONE):
            try:
                return (await self._write_together([submission]))[0]
            except GroupConflict as again:
                conflict = again
                submission = submission.renamed()
            except RedressError as failure:
                return failure
        assert conflict is not None
        return conflict


def _groups_at_once(database: Database) -> int:
    # SQLite has one writer: a second group would only be a smaller one.
    return 2 if database.dialect == "postgresql" else 1


def _claims(submission: Submission) -> frozenset[Hashable]:
    """Return what two submissions must not write at the same time: people, source, key."""
    claims: list[Hashable] = [identity.blind_index for identity in submission.draft.identities]
    if (source := submission.draft.new.source) is not None:
        claims.append((source.system, source.id))
    if submission.key is not None:
        claims.append(("Idempotency-Key", submission.key.client, submission.key.key))
    return frozenset(claims)


def _planned(plan: Plan, submission: Submission) -> Outcome | Exception:
    try:
        return plan.add(submission)
    except RedressError as refused:
        return refused


async def _look_up(connection: AsyncConnection, names: Names) -> Known:
    """Ask for everything a group names, in one query each for customers, sources and keys."""
    return Known(
        customers=await find_owners(connection, names.identities),
        sources=await find_sources(connection, names.sources),
        answers=await find_answers(connection, names.keys),
    )


def _asked(
    group: Sequence[Submission], owners: Mapping[bytes, KnownCustomer], repeats_within: timedelta
) -> list[Asked]:
    """Return those of a group that may be repeats: live complaints of customers who are known.

    Most groups know none, and then nothing is asked.
    """
    if not owners:
        return []
    drafts = [submission.draft for submission in group if not submission.draft.new.imported]
    customers = recognise(
        (made.identities for made in drafts), {index: one.id for index, one in owners.items()}
    )
    return [
        Asked(
            made.id,
            customer_id,
            made.matter.category,
            made.received_at - repeats_within,
            *made.reference_keys,
            made.matter.product,
        )
        for made, customer_id in zip(drafts, customers, strict=True)
        if customer_id is not None
    ]
