"""Which complaint is about a matter that its customer complained about before.

Same customer and same order, contract or product; or same customer, same category and not long ago.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple


class ReferenceKeys(NamedTuple):
    """Order and contract as blind indexes: they stand nowhere in the clear."""

    order: bytes | None = None
    contract: bytes | None = None


@dataclass(frozen=True, slots=True)
class Matter:
    """What a complaint is about, in the form it is compared in."""

    category: str
    keys: ReferenceKeys
    product: str | None

    def marks(self) -> Iterator[tuple[str, object]]:
        """Yield everything by which another complaint can be about the same."""
        yield "category", self.category
        if self.keys.order is not None:
            yield "order", self.keys.order
        if self.keys.contract is not None:
            yield "contract", self.keys.contract
        if self.product is not None:
            yield "product", self.product


class Matters:
    """The matters of one group of complaints, which all come at the same time.

    What stood before the group is told with each complaint; here the group's own are remembered.
    """

    def __init__(self) -> None:
        self._roots: dict[tuple[str, str, object], str] = {}

    def link(
        self, complaint_id: str, matter: Matter, *, customer_id: str, stored: str | None
    ) -> str | None:
        """Return the first complaint about the same matter, None where this one is the first.

        `stored` is the first of those that stood before the group. Ids order complaints by when
        they were recorded, so that of two matters that meet in one complaint the older is kept.
        """
        marks = [(customer_id, *mark) for mark in matter.marks()]
        known = [self._roots[mark] for mark in marks if mark in self._roots]
        if stored is not None:
            known.append(stored)
        root = min(known, default=None)
        for mark in marks:
            self._roots.setdefault(mark, root or complaint_id)
        return root
