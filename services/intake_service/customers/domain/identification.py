"""Who somebody is, from what they are known by: the rule, for a whole group of complaints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from services.intake_service.customers.domain.contact import IdentityKind


@dataclass(frozen=True, slots=True)
class Identity:
    """One thing a customer is known by, as its blind index."""

    kind: IdentityKind
    blind_index: bytes


@dataclass(frozen=True, slots=True)
class Match:
    """The customer meant (None: nobody known), what is new about them, who else was named."""

    customer_id: str | None
    unclaimed: tuple[Identity, ...]
    others: tuple[str, ...]


def identify(identities: Sequence[Identity], owners: Mapping[bytes, str]) -> Match:
    """Match a complaint's identities, strongest first, with those that customers own.

    The strongest identity that somebody owns decides; what nobody owns yet goes to that customer.
    Owners of the weaker ones are left as they are and named as candidates for merging.
    """
    owned = [
        owners[identity.blind_index] for identity in identities if identity.blind_index in owners
    ]
    others = tuple(dict.fromkeys(owner for owner in owned[1:] if owner != owned[0]))
    unclaimed = tuple(identity for identity in identities if identity.blind_index not in owners)
    return Match(owned[0] if owned else None, unclaimed, others)


def recognise(
    complaints: Iterable[Sequence[Identity]], owners: Mapping[bytes, str]
) -> Iterator[str | None]:
    """Yield who of the known customers each of several complaints is from, None for somebody new.

    What a complaint brings anew counts for those that come after it, as it will when they are
    written: also that somebody new owns it, whoever else a later one names beside them.
    """
    known = dict(owners)
    new: set[str] = set()
    for place, identities in enumerate(complaints):
        match = identify(identities, known)
        customer_id = match.customer_id
        if customer_id is None:
            customer_id = f"new-{place}"
            new.add(customer_id)
        for identity in match.unclaimed:
            known[identity.blind_index] = customer_id
        yield None if customer_id in new else customer_id
