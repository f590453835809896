"""Policies as the first ones were written: one target per clock and priority, without rules."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.workflow_service.clocks.domain.policy import (
    LAST_VERSION,
    REQUIRED,
    ClockConduct,
    Halved,
    OnBreach,
    Policy,
    PolicyRule,
    When,
)
from services.workflow_service.clocks.domain.target import Mark, MarkText, Target, TargetText
from shared.events.words import CaseState, ClockKind, Priority

_RULES = re.compile(r"^rules:", re.MULTILINE)


class TargetsByPriority(BaseModel):
    """One clock's targets: one for all, or one for each priority."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    target: TargetText | None = None
    targets: Mapping[Priority, TargetText] = Field(default_factory=dict)
    warnings: tuple[MarkText, ...] | None = None

    @model_validator(mode="after")
    def _complete(self) -> TargetsByPriority:
        missing = [p.value for p in Priority if self.target is None and p not in self.targets]
        if missing:
            raise ValueError(f"no target for {', '.join(missing)}: give one, or `target` for all")
        return self


class PolicyByPriority(BaseModel):
    """A policy without rules."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    version: int = Field(ge=1, le=LAST_VERSION)
    warnings: tuple[MarkText, ...] = (Mark(percent=50), Mark(percent=80))
    halved_for: Halved = Halved()
    paused_while_awaiting_customer: tuple[ClockKind, ...] = ()
    awaiting_customer_ends_after: TargetText = Target(seconds=7 * 86400, days=0, business=False)
    clocks: Mapping[ClockKind, TargetsByPriority]

    @model_validator(mode="after")
    def _complete(self) -> PolicyByPriority:
        missing = [kind.value for kind in REQUIRED if kind not in self.clocks]
        if missing:
            raise ValueError(f"no targets for the clocks {', '.join(missing)}")
        return self

    def as_rules(self) -> Policy:
        """Return the policy by rules that gives every case the same targets."""
        rules = [self._rule_of(priority) for priority in Priority]
        return Policy(
            name=self.name,
            version=self.version,
            warnings=self.warnings,
            halved_for=self.halved_for,
            awaiting_customer_ends_after=self.awaiting_customer_ends_after,
            clocks={kind: self._conduct_of(kind) for kind in self.clocks},
            rules=(*rules, PolicyRule(name="all", targets=rules[-1].targets)),
        )

    def _rule_of(self, priority: Priority) -> PolicyRule:
        targets = {kind: by.targets.get(priority) or by.target for kind, by in self.clocks.items()}
        return PolicyRule(
            name=priority.value.lower(),
            when=When(priority=(priority,)),
            targets={kind: target for kind, target in targets.items() if target is not None},
        )

    def _conduct_of(self, kind: ClockKind) -> ClockConduct:
        pauses = kind in self.paused_while_awaiting_customer
        return ClockConduct(
            warnings=self.clocks[kind].warnings,
            pauses_in=(CaseState.AWAITING_CUSTOMER,) if pauses else (),
            on_breach=OnBreach.ALERT if kind is ClockKind.ACKNOWLEDGE else OnBreach.ESCALATE,
        )


def is_by_priority(document: str) -> bool:
    """Tell whether a policy's text has no rules."""
    return _RULES.search(document) is None
