"""Make a batch of complaints ready before its transaction begins, wherever a processor is free.

Naming, classifying, sealing and planning are most of the work of an import and need no database:
only what stands of what the batch names. A batch is prepared for what is thought to stand (for
most files: nothing) and written only if that is true; else it is prepared once more.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.intake_service.complaints.domain.draft import Draft
from services.intake_service.complaints.domain.new_complaint import (
    NewComplaint,
    RecordOutcome,
    SourceReference,
)
from services.intake_service.complaints.repository.group import GroupRows
from services.intake_service.complaints.schemas.answer import Links
from services.intake_service.complaints.service.drafting import (
    Classifier,
    draft,
    reference_keys_of,
)
from services.intake_service.complaints.service.planning import (
    Existing,
    Known,
    Outcome,
    Plan,
    Replayed,
    Submission,
)
from services.intake_service.customers.service import KeyRing
from shared.http.idempotency import IdempotencyKey


@dataclass(frozen=True, slots=True)
class Names:
    """What a group must look up: customers, sources and keys that may stand already."""

    identities: Collection[bytes]
    sources: Collection[SourceReference]
    keys: Collection[IdempotencyKey] = ()

    @classmethod
    def of(cls, group: Sequence[Submission]) -> Names:
        """Gather what the complaints of a group name."""
        drafts = [submission.draft for submission in group]
        return cls(
            identities={one.blind_index for made in drafts for one in made.identities},
            sources=[made.new.source for made in drafts if made.new.source is not None],
            keys=[submission.key for submission in group if submission.key is not None],
        )


@dataclass(frozen=True, slots=True)
class Prepared:
    """A batch as it is to be written if `known` is what stands of its `names`.

    One outcome per complaint, in order.
    """

    names: Names
    known: Known
    rows: GroupRows
    outcomes: Sequence[RecordOutcome]


class Preparer:
    """Makes batches ready to be written. Needs no database and may live in any process."""

    def __init__(self, *, keys: KeyRing, classifier: Classifier) -> None:
        self._keys = keys
        self._classifier = classifier

    def drafts(
        self, complaints: Sequence[NewComplaint], *, now: datetime, traceparent: str | None
    ) -> list[Draft]:
        """Name, classify and locate complaints."""
        return [
            draft(
                new,
                classifier=self._classifier,
                identities=self._keys.identities(new.contact),
                now=now,
                traceparent=traceparent,
                reference_keys=reference_keys_of(new, self._keys),
            )
            for new in complaints
        ]

    def prepare(self, drafts: Sequence[Draft], *, known: Known, now: datetime) -> Prepared:
        """Plan and seal what a batch writes. Of two complaints with one source the first wins."""
        group = [Submission(made) for made in drafts]
        plan = Plan(
            known,
            keys=self._keys,
            classifier=self._classifier,
            links=_NO_LINKS,
            now=now,
        )
        outcomes = [row_outcome(plan.add(submission)) for submission in group]
        return Prepared(Names.of(group), known, plan.rows(), outcomes)


# An import asks for no answers, and only they hold addresses.
_NO_LINKS = Links("")


def row_outcome(outcome: Outcome | Exception) -> RecordOutcome:
    """Return what became of one row of an import; raises what stood in its way."""
    if isinstance(outcome, Exception):
        raise outcome
    assert not isinstance(outcome, Replayed), "an import carries no Idempotency-Key"
    if isinstance(outcome, Existing):
        return RecordOutcome("existing", outcome.complaint_id)
    return RecordOutcome("accepted", outcome.complaint_id)
