"""The shape of `taxonomy.yaml`."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from shared.events.words import Channel, Motive, Priority, Severity, Tier, Urgency

Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=48)]
Phrase = Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)]
RuleName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*$", max_length=48)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Label(_Part):
    """A name in both languages."""

    zh: str
    en: str


class Kind(_Part):
    """A category of the second level."""

    label: Label
    severity: Severity
    strong: tuple[Phrase, ...] = ()
    weak: tuple[Phrase, ...] = ()


class TopCategory(_Part):
    """A category of the first level."""

    label: Label
    kinds: dict[Code, Kind]


class SeverityRule(_Part):
    """Phrases that mean at least a severity."""

    name: RuleName
    level: Severity
    signs: tuple[Phrase, ...]


class SeverityRules(_Part):
    """The severity section."""

    rules: tuple[SeverityRule, ...]


class UrgencyRule(_Part):
    """Phrases that mean an urgency."""

    name: RuleName
    level: Urgency
    signs: tuple[Phrase, ...]


class UrgencyRules(_Part):
    """The urgency section."""

    default: Urgency
    channels: dict[Channel, Urgency]
    severities: dict[Severity, Urgency]
    rules: tuple[UrgencyRule, ...]


class PriorityLift(_Part):
    """By how many steps, or at least to which priority."""

    steps: int = Field(default=0, ge=0, le=3)
    at_least: Priority | None = None


class RiskRule(_Part):
    """Phrases that lift the priority."""

    name: RuleName
    steps: int = Field(ge=1, le=3)
    signs: tuple[Phrase, ...]


class PriorityRules(_Part):
    """The priority section."""

    matrix: dict[Severity, dict[Urgency, Priority]]
    tiers: dict[Tier, PriorityLift]
    channels: dict[Channel, PriorityLift]
    risks: tuple[RiskRule, ...]

    @model_validator(mode="after")
    def _matrix_is_whole(self) -> PriorityRules:
        for severity in Severity:
            for urgency in Urgency:
                if urgency not in self.matrix.get(severity, {}):
                    raise ValueError(f"the matrix lacks {severity} by {urgency}")
        return self


class MotiveRule(_Part):
    """What points at one motive."""

    demands: tuple[str, ...]
    signs: tuple[Phrase, ...]


class TaxonomyFile(_Part):
    """The whole file."""

    version: int = Field(ge=1, le=1)
    categories: dict[Code, TopCategory]
    severity: SeverityRules
    urgency: UrgencyRules
    priority: PriorityRules
    motive: dict[Motive, MotiveRule]

    @model_validator(mode="after")
    def _has_a_category_for_the_rest(self) -> TaxonomyFile:
        if "other" not in self.categories:
            raise ValueError("the categories lack `other`, which takes what nothing else names")
        return self
