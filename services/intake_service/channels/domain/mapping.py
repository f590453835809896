"""What a mapping file says: which column means what."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import Annotated, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from services.intake_service.channels.domain.rows import Columns
from shared.events.words import Channel, Outcome, Tier

Column = Annotated[str, StringConstraints(min_length=1, max_length=200)]


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"{name!r} is no IANA time zone, such as Asia/Shanghai") from None
    return name


def text_encoding(name: str) -> str:
    """Return the usual name of an encoding; raises ValueError for what is none."""
    try:
        found = codecs.lookup(name)
        # Refuses what is no encoding of text, such as base64; nothing at all is never looked at.
        b"a".decode(name, "replace")
    except (LookupError, ValueError):
        raise ValueError(f"{name!r} is no encoding, such as utf-8 or gb18030") from None
    return found.name


def _template(text: str) -> str:
    depth = 0
    for mark in re.findall(r"[\[\]{}]", re.sub(r"\{[^{}\[\]]+\}", "", text)):
        if mark in "{}":
            raise ValueError("a column is written as {Name of the column}")
        depth += 1 if mark == "[" else -1
        if depth not in (0, 1):
            raise ValueError("brackets come in pairs and not inside each other")
    if depth:
        raise ValueError("brackets come in pairs and not inside each other")
    return text


def columns_of(template: str) -> tuple[str, ...]:
    """Return the columns that a template names."""
    return tuple(re.findall(r"\{([^{}\[\]]+)\}", template))


Template = Annotated[
    str, StringConstraints(min_length=1, max_length=2000), AfterValidator(_template)
]
ZoneName = Annotated[str, AfterValidator(_zone)]
Encoding = Annotated[str, AfterValidator(text_encoding)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Fields(_Part):
    """Columns taken over as they are."""

    id: Column
    received_at: Column
    occurred_at: Column | None = None
    order: Column | None = None
    contract: Column | None = None
    product: Column | None = None
    latitude: Column | None = None
    longitude: Column | None = None


class CustomerReference(_Part):
    """The customer's id in the source; the prefix keeps it apart from the company's own."""

    column: Column
    prefix: str = ""


class CustomerColumns(_Part):
    """Who complained."""

    name: Column | None = None
    phone: Column | None = None
    email: Column | None = None
    crm_id: CustomerReference | None = None
    tier: dict[str, Tier] | None = None
    tier_column: Column | None = None


class ChannelRule(_Part):
    """How the complaint came in."""

    default: Channel
    column: Column | None = None
    table: dict[str, Channel] = {}


class CategoryRule(_Part):
    """Values of one column and the categories that they mean."""

    column: Column
    table: dict[str, str]


class RegionRule(_Part):
    """A column with a code; the table goes before the prefix, null leaves the region out."""

    column: Column
    prefix: str = ""
    table: dict[str, str | None] = {}


class OutcomeRule(_Part):
    """What settles a row: a value in the table, or with `any` whatever stands in the column."""

    column: Column
    table: dict[str, Outcome] = {}
    any: Outcome | None = None


class RecordedColumns(_Part):
    """When a settled row was answered, resolved and closed."""

    answered_at: Column | None = None
    resolved_at: Column | None = None
    closed_at: Column | None = None


class MappingFile(_Part):
    """A whole mapping file.

    `description` lists templates: the first whose columns all have a value is used; what stands in
    brackets is left out where a column in it is empty. `category` lists rules: the first table that
    names the value wins, what none names becomes `other`; without rules (or where the file has
    none of their columns) the words decide. `optional` columns may be missing from a file.
    """

    system: Annotated[str, StringConstraints(pattern=r"^[\w.:-]{1,100}$")]
    timezone: ZoneName
    encoding: Encoding = "utf-8"
    delimiter: Annotated[str, StringConstraints(min_length=1, max_length=1)] = ","
    phone_region: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] = "CN"
    empty: tuple[str, ...] = ()
    dates: tuple[str, ...] = Field(default=("iso",), min_length=1)
    optional: tuple[Column, ...] = ()
    fields: Fields
    customer: CustomerColumns = CustomerColumns()
    description: tuple[Template, ...] = Field(min_length=1)
    channel: ChannelRule
    category: tuple[CategoryRule, ...] = ()
    region: RegionRule | None = None
    outcome: OutcomeRule | None = None
    recorded: RecordedColumns = RecordedColumns()

    @model_validator(mode="after")
    def _optional_columns_are_read(self) -> Self:
        known = set(self._columns())
        for name in self.optional:
            if name not in known:
                raise ValueError(f"optional names {name!r}, which nothing here reads")
        return self

    def columns(self) -> Columns:
        """Return the columns that are read, each once, in the order of the file."""
        return Columns(tuple(dict.fromkeys(self._columns())), frozenset(self.optional))

    def _columns(self) -> Iterator[str]:
        parts = (self.fields, self.recorded, self.customer)
        for part in parts:
            for value in part.__dict__.values():
                if isinstance(value, str):
                    yield value
        if self.customer.crm_id:
            yield self.customer.crm_id.column
        for template in self.description:
            yield from columns_of(template)
        yield from (rule.column for rule in self.category)
        for rule in (self.channel, self.region, self.outcome):
            if rule is not None and rule.column is not None:
                yield rule.column
