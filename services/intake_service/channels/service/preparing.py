"""Turn rows of a file into what is to be written: map them, then prepare their complaints."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from services.intake_service.channels.domain.mapper import Mapper, Rejected
from services.intake_service.channels.domain.mapping import MappingFile
from services.intake_service.channels.domain.rows import BrokenRow, SourceRow
from services.intake_service.complaints.domain.draft import Draft
from services.intake_service.complaints.domain.new_complaint import NewComplaint
from services.intake_service.complaints.service.drafting import Classifier
from services.intake_service.complaints.service.planning import Known
from services.intake_service.complaints.service.preparing import Prepared, Preparer
from services.intake_service.customers.schemas import read_email, read_phone
from services.intake_service.customers.service import KeyRing
from shared.kernel.vault import Vault

_READ_KEPT = 3

Row = SourceRow | BrokenRow
NOTHING_STANDS = Known()


@dataclass(frozen=True, slots=True)
class Setup:
    """What one file's rows are read by; `started_at` bounds what can have happened."""

    mapping: MappingFile
    classifier: Classifier
    started_at: datetime


@dataclass(frozen=True, slots=True)
class Order:
    """Rows to be made ready, for the case that `known` stands of what they name.

    The same `number` comes again, with the same rows, where something else stood.
    """

    number: int
    rows: Sequence[Row]
    now: datetime
    traceparent: str | None
    known: Known = NOTHING_STANDS


class Refusal(NamedTuple):
    """A row that is not kept: its place among those of its order, and why."""

    place: int
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Ready:
    """An order's rows, ready to be written, and those that are not kept."""

    batch: Prepared
    refused: Sequence[Refusal]
    warnings: Counter[str]


@dataclass(slots=True)
class _Read:
    drafts: list[Draft]
    refused: list[Refusal] = field(default_factory=list)
    warnings: Counter[str] = field(default_factory=Counter)


class RowPreparer:
    """Makes one file's rows ready. Needs nothing but processor time, so it may live anywhere."""

    def __init__(self, setup: Setup, keys: KeyRing) -> None:
        self._mapper = Mapper(
            setup.mapping,
            now=setup.started_at,
            read_phone=lambda text, region: read_phone(text, default_region=region),
            read_email=read_email,
        )
        self._preparer = Preparer(keys=keys, classifier=setup.classifier)
        # What was read last: an order that comes again is planned anew, not read anew.
        self._read: OrderedDict[int, _Read] = OrderedDict()

    def prepare(self, order: Order) -> Ready:
        """Map, name, classify, plan and seal the rows of an order."""
        read = self._reading_of(order)
        batch = self._preparer.prepare(read.drafts, known=order.known, now=order.now)
        return Ready(batch, read.refused, read.warnings)

    def drafts(self, order: Order) -> Sequence[Draft]:
        """Return the complaints of an order, named and classified."""
        return self._reading_of(order).drafts

    def _reading_of(self, order: Order) -> _Read:
        read = self._read.get(order.number)
        if read is None:
            read = self._read[order.number] = self._map(order)
            if len(self._read) > _READ_KEPT:
                self._read.popitem(last=False)
        return read

    def _map(self, order: Order) -> _Read:
        read = _Read([])
        complaints: list[NewComplaint] = []
        for place, row in enumerate(order.rows):
            if isinstance(row, BrokenRow):
                read.refused.append(Refusal(place, row.reason, row.detail))
                continue
            try:
                mapped = self._mapper.map(row)
            except Rejected as why:
                read.refused.append(Refusal(place, why.reason, why.detail))
            else:
                read.warnings.update(mapped.warnings)
                complaints.append(mapped.complaint)
        read.drafts = self._preparer.drafts(
            complaints, now=order.now, traceparent=order.traceparent
        )
        return read


def preparer_of(setup_and_key: tuple[Setup, str]) -> Callable[[Order], Ready]:
    """Return what makes rows ready in a process of its own, which gets the master key by a pipe."""
    setup, master_key = setup_and_key
    return RowPreparer(setup, KeyRing(Vault.from_setting("the pipe", master_key))).prepare
