"""A proposal that waits for somebody with the authority to make it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from services.workflow_service.organisation.domain.person import StaffRole
from shared.events.base import Money
from shared.events.cases import OptionOffered


@dataclass(frozen=True, slots=True)
class Approval:
    """What waits: the options, their words, and who was asked.

    `role` is the least that may say yes, `amount` what asks for it; `approver` is who was asked,
    None where nobody in the organisation has the role.
    """

    options: tuple[OptionOffered, ...]
    final: bool
    words_id: str
    role: StaffRole
    amount: Money
    requested_by: str
    requested_at: datetime
    approver: str | None = None
