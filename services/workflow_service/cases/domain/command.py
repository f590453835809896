"""What one person does with a case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.workflow_service.cases.domain.lifecycle import Action
from services.workflow_service.organisation.domain.person import StaffRole
from services.workflow_service.remedies.domain.authority import reaches
from shared.events.base import Money
from shared.events.cases import OptionOffered
from shared.events.words import Outcome
from shared.kernel.errors import FieldError, InvalidInput


@dataclass(frozen=True, slots=True)
class OptionText:
    """One option of a proposal as it is put to the customer."""

    kind: str
    text: str
    amount: Money | None = None


@dataclass(frozen=True, slots=True)
class Command:
    """One action by one person at one time. `words_id` and `note_id` are fresh ids.

    `roles` are the person's, as far as the credential tells; `overrules`: an administrator, who has
    every authority. `channel` and `direction` are those of a contact; `step` and `reference` are
    the kind and the number of what was carried out.
    `just_now`: nobody said when it happened; it is of the time at which it is decided.
    """

    action: Action
    by: str
    at: datetime
    words_id: str
    note_id: str
    text: str | None = None
    note: str | None = None
    owner: str | None = None
    department: str | None = None
    options: tuple[OptionText, ...] = ()
    option: str | None = None
    outcome: Outcome = Outcome.SOLVED
    final: bool = False
    channel: str | None = None
    direction: str = "out"
    step: str | None = None
    reference: str | None = None
    by_customer: bool = False
    roles: frozenset[str] = frozenset()
    overrules: bool = False
    just_now: bool = False

    @property
    def may_lead(self) -> bool:
        """Whether the person leads others."""
        return self.overrules or reaches(self.roles, StaffRole.LEAD)

    def offered(self) -> Sequence[OptionOffered]:
        """Return the options with the keys that they get."""
        return [
            OptionOffered(key=chr(ord("A") + place), kind=option.kind, amount=option.amount)
            for place, option in enumerate(self.options)
        ]


def wrong(pointer: str, code: str, detail: str) -> InvalidInput:
    """Make the error of one wrong field of a command."""
    return InvalidInput(detail, (FieldError(pointer, code, detail),))
