"""What each role may offer a customer without asking (domain.md §5).

Limits hold for each option of a proposal, as the customer takes one of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, RootModel, StringConstraints, model_validator

from services.workflow_service.organisation.domain.person import StaffRole
from shared.events.base import Money

ANYTHING: Literal["anything"] = "anything"
_RANKS = tuple(StaffRole)
_LONGEST = 12

Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]


def _amount(value: object) -> Decimal:
    """Read a whole or decimal amount; raises ValueError. YAML's floats are read as written."""
    text = str(value)
    whole, _, part = text.partition(".")
    if isinstance(value, bool) or not whole.isdigit() or (part and not part.isdigit()):
        raise ValueError(f"{value!r} is no amount, such as 200 or 99.50")
    if len(whole) > _LONGEST:
        raise ValueError(f"{value!r} is more than twelve digits: say anything")
    return Decimal(text)


Amount = Annotated[Decimal, BeforeValidator(_amount)]
Limit = Annotated[Mapping[Currency, Amount], Field(min_length=1)] | Literal["anything"]


class Authority(RootModel[Mapping[StaffRole, Limit]]):
    """The limits by role. Who is above a role has its limits at least; an executive has none.

    An amount in a currency that a role's limits do not name is above them.
    """

    model_config = {"frozen": True}

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if self.root and self.root.get(StaffRole.EXECUTIVE, ANYTHING) != ANYTHING:
            raise ValueError("an executive may offer anything: nobody is above them to approve it")
        below: dict[str, tuple[StaffRole, Decimal]] = {}
        unlimited: StaffRole | None = None
        for role in _RANKS:
            limit = self.root.get(role)
            if limit is None:
                continue
            if limit == ANYTHING:
                unlimited = unlimited or role
                continue
            if unlimited is not None:
                raise ValueError(f"{role} is limited, {unlimited} below may offer anything")
            for currency, (lower, most) in below.items():
                if limit.get(currency, most) < most:
                    raise ValueError(f"{role} may offer less {currency} than {lower} below")
            below |= {currency: (role, most) for currency, most in limit.items()}
        return self

    def least_for(self, amounts: Iterable[Money]) -> StaffRole | None:
        """Return the least role that may offer every one of these; None where all may."""
        asked = [amount for amount in amounts if Decimal(amount.amount) > 0]
        if not self.root or not asked:
            return None
        most: dict[str, Decimal] = {}
        for role in _RANKS:
            limit = self.root.get(role, {})
            if limit == ANYTHING:
                return role
            most |= limit
            if all(Decimal(one.amount) <= most.get(one.currency, Decimal(0)) for one in asked):
                return role
        return StaffRole.EXECUTIVE


def reaches(roles: Set[str], wanted: StaffRole) -> bool:
    """Tell whether one of the roles is a staff role as high as the wanted one."""
    return any(_RANKS.index(role) >= _RANKS.index(wanted) for role in _RANKS if role in roles)


def weightiest(amounts: Iterable[Money], authority: Authority) -> Money | None:
    """Return the amount that asks for the highest role, of several the greatest; None of none."""

    def weight(one: Money) -> tuple[int, Decimal]:
        return _RANKS.index(authority.least_for([one]) or _RANKS[0]), Decimal(one.amount)

    return max(amounts, key=weight, default=None)
