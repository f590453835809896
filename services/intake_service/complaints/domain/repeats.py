"""Which complaint is about a matter that its customer complained about before.

Same customer and same order, contract or product; or same customer, same category and not long ago,
unless both name an order and not the same, or the category says nothing (`other`).
"""

from __future__ import annotations

from typing import NamedTuple

NO_MATTER = "other"
"""A category that says nothing of what a complaint is about."""


class ReferenceKeys(NamedTuple):
    """Order and contract as blind indexes: they stand nowhere in the clear."""

    order: bytes | None = None
    contract: bytes | None = None


class Matter(NamedTuple):
    """What a complaint is about, in the form it is compared in."""

    category: str
    keys: ReferenceKeys
    product: str | None

    def is_same(self, other: Matter) -> bool:
        """Tell whether two complaints of one customer, made at the same time, are about one."""
        mine, theirs = self.keys, other.keys
        return (
            self._is_alike(other)
            or (mine.order is not None and mine.order == theirs.order)
            or (mine.contract is not None and mine.contract == theirs.contract)
            or (self.product is not None and self.product == other.product)
        )

    def _is_alike(self, other: Matter) -> bool:
        """Tell whether the category makes it one: not where they name different orders."""
        mine, theirs = self.keys.order, other.keys.order
        differ = mine is not None and theirs is not None and mine != theirs
        return self.category == other.category != NO_MATTER and not differ


class Matters:
    """The matters of one group of complaints, which all come at the same time.

    What stood before the group is told with each complaint; here the group's own are remembered.
    """

    def __init__(self) -> None:
        self._of_customer: dict[str, list[tuple[Matter, str]]] = {}

    def link(
        self, complaint_id: str, matter: Matter, *, customer_id: str, stored: str | None
    ) -> str | None:
        """Return the first complaint about the same matter, None where this one is the first.

        `stored` is the first of those that stood before the group. Ids order complaints by when
        they were recorded, so that of two matters that meet in one complaint the older is kept.
        """
        others = self._of_customer.setdefault(customer_id, [])
        roots = [root for other, root in others if matter.is_same(other)]
        if stored is not None:
            roots.append(stored)
        root = min(roots, default=None)
        others.append((matter, root or complaint_id))
        return root
