"""What a customer can ask for (诉求, domain.md §1)."""

from __future__ import annotations

from enum import StrEnum


class Demand(StrEnum):
    """One thing the customer asks for."""

    EXPLANATION = "explanation"
    APOLOGY = "apology"
    WRITTEN_APOLOGY = "written_apology"
    APOLOGY_BY_LEADER = "apology_by_leader"
    REPAIR = "repair"
    REPLACEMENT = "replacement"
    RE_SEND = "re_send"
    RETURN = "return"
    REFUND = "refund"
    COMPENSATION = "compensation"
    ON_SITE_HANDLING = "on_site_handling"
    DISCIPLINE = "discipline"
    IMPROVEMENT = "improvement"
