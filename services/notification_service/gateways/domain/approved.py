"""Wordings that a vendor has approved: which of its codes says which of our messages.

Vendors of SMS in China take no free text: every wording is approved beforehand, gets a code, and
is sent by that code and the values of its variables.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
)

from services.notification_service.gateways.domain.port import Outgoing, Refused

VALUES = frozenset(
    {
        "number",
        "name",
        "company",
        "category",
        "tracking_url",
        "tracking_token",
        "due_at",
        "next_due_at",
        "new_due_at",
        "next_step",
        "promise",
        "standing",
        "reference",
        "outcome",
        "into_number",
        "text",
        "clock",
        "cause",
        "level",
        "round",
        "priority",
        "count",
        "usual",
        "times",
        "product",
        "region",
        "owner",
        "since",
        "until",
    }
)
"""What a variable can be filled with; `tracking_token` is the end of the tracking link, since
vendors refuse links in variables and have the rest of it in the approved wording."""


class Source(BaseModel):
    """Where a variable's value comes from; `otherwise` where the message has none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: str
    otherwise: str | None = None
    most: int | None = Field(default=None, ge=1, description="cut to so many characters")

    @field_validator("value")
    @classmethod
    def _is_a_value(cls, value: str) -> str:
        if value not in VALUES:
            raise ValueError(f"there is no {value!r}; there are {', '.join(sorted(VALUES))}")
        return value

    def fill(self, values: Mapping[str, str]) -> str | None:
        """Return the value as the vendor gets it, None where there is none."""
        found = values.get(self.value) or self.otherwise
        if found is None or self.most is None or len(found) <= self.most:
            return found
        return found[: self.most - 1] + "…"


def _named(given: object) -> object:
    return {"value": given} if isinstance(given, str) else given


class Wording(BaseModel):
    """One approved wording: its code, the signature above it, its variables in order."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str = Field(min_length=1)
    sign_name: str | None = None
    parameters: dict[str, Annotated[Source, BeforeValidator(_named)]] = {}

    @field_validator("parameters")
    @classmethod
    def _fit_the_vendor(
        cls, parameters: dict[str, Source], info: ValidationInfo
    ) -> dict[str, Source]:
        expected = [str(number + 1) for number in range(len(parameters))]
        if (info.context or {}).get("numbered") and list(parameters) != expected:
            raise ValueError("this vendor numbers its variables: 1, 2, … in this order")
        return parameters


class Filled(BaseModel):
    """A wording with its values, ready for the vendor; parameters keep the file's order."""

    model_config = ConfigDict(frozen=True)

    code: str
    sign_name: str
    parameters: dict[str, str]


class Approved(BaseModel):
    """All approved wordings by kind and language, as the file of the setting names them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sign_name: str = Field(min_length=1)
    templates: dict[str, dict[Literal["zh-CN", "en"], Wording]]

    @field_validator("templates", mode="before")
    @classmethod
    def _are_of_kinds(cls, templates: object, info: ValidationInfo) -> object:
        kinds = (info.context or {}).get("kinds")
        if kinds is not None and isinstance(templates, dict):
            unknown = [kind for kind in templates if kind not in kinds]
            if unknown:
                raise ValueError(f"there are no messages of the kind {unknown[0]!r}")
        return templates

    def fill(self, message: Outgoing) -> Filled:
        """Return the wording of a message with its values; raises Refused naming what is missing.

        Refused, so that the other channel says it: no try later would find a wording.
        """
        by_locale = self.templates.get(message.kind, {})
        wording = by_locale.get("en" if message.locale == "en" else "zh-CN")
        if wording is None:
            raise Refused(f"no approved SMS template for {message.kind} in {message.locale}")
        filled = {name: one.fill(message.values) for name, one in wording.parameters.items()}
        missing = [wording.parameters[name].value for name, value in filled.items() if not value]
        if missing:
            said = f"{wording.code} for {message.kind} needs {', '.join(missing)}"
            raise Refused(f"SMS template {said}, which this message has not")
        return Filled(
            code=wording.code,
            sign_name=wording.sign_name or self.sign_name,
            parameters={name: value for name, value in filled.items() if value},
        )
