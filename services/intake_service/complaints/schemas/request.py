"""What a sender may write: every field checked, every wrong one named at once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Literal, Protocol, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from services.intake_service.complaints.domain.demand import Demand
from services.intake_service.complaints.domain.new_complaint import (
    NewComplaint,
    Place,
    References,
    SourceReference,
)
from services.intake_service.customers.domain.contact import Contact
from services.intake_service.customers.schemas import read_email, read_phone
from shared.events.words import Channel, Severity, Tier, Urgency
from shared.http.instants import Instant

DESCRIPTION_LIMIT = 20_000
_FUTURE_GRACE = timedelta(seconds=60)
_CODE = re.compile(r"\w[\w .:/#+-]*")
_PHONE = re.compile(r"\+ ?\d[\d ]{6,}|(?:^|[^\w]) ?1[3-9]\d ?\d{4} ?\d{4}(?:$|[^\w])")
"""A number with its country code, or China's mobile numbers: how they come into fields for codes,
beside the name of whom they are of."""


class Taxonomy(Protocol):
    """The list of categories, as far as a request needs it."""

    def is_known(self, code: str) -> bool:
        """Tell whether the code stands in the list."""
        ...

    def suggest(self, code: str) -> str | None:
        """Return the known code nearest to it, if one is near."""
        ...


@dataclass(frozen=True, slots=True)
class RequestRules:
    """What the fields are checked against; handed to Pydantic as the validation context."""

    now: datetime
    phone_region: str
    taxonomy: Taxonomy


def _no_nul(text: str) -> str:
    if "\0" in text:
        raise PydanticCustomError("nul_character", "NUL characters are not text")
    return text


def _phone(text: str, info: ValidationInfo) -> str:
    try:
        return read_phone(text, default_region=_rules(info).phone_region)
    except ValueError as wrong:
        raise PydanticCustomError(
            "invalid_phone",
            "{why}; write it with its country code, such as +86 138 0013 8000",
            {"why": str(wrong)},
        ) from None


def _email(text: str) -> str:
    try:
        return read_email(text)
    except ValueError as wrong:
        raise PydanticCustomError(
            "invalid_email", "{why}, such as wang@example.com", {"why": str(wrong)}
        ) from None


def _category(code: str, info: ValidationInfo) -> str:
    taxonomy = _rules(info).taxonomy
    if taxonomy.is_known(code):
        return code
    near = taxonomy.suggest(code)
    hint = f"; did you mean {near}?" if near else ""
    raise PydanticCustomError(
        "unknown_category", "{code} is not in the taxonomy{hint}", {"code": code, "hint": hint}
    )


def _past(instant: datetime, info: ValidationInfo) -> datetime:
    if instant > _rules(info).now + _FUTURE_GRACE:
        raise PydanticCustomError("in_the_future", "lies in the future")
    return instant


def _code(text: str) -> str:
    if not _CODE.fullmatch(text):
        raise PydanticCustomError(
            "invalid_code", "a code has letters, digits, blanks and . : / # + - _ only"
        )
    if " " in text and _PHONE.search(text):
        raise PydanticCustomError(
            "invalid_code", "a code is of a thing or place; this has a phone number in it"
        )
    return text


def _some_words(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("blank", "says nothing")
    return text


def _rules(info: ValidationInfo) -> RequestRules:
    if not isinstance(info.context, RequestRules):
        raise TypeError("a request is validated with its RequestRules as context")
    return info.context


def _line(longest: int) -> StringConstraints:
    return StringConstraints(strip_whitespace=True, min_length=1, max_length=longest)


Line = Annotated[str, _line(200), AfterValidator(_no_nul)]
# Codes go into events, where no free text and no address may.
Code = Annotated[str, _line(200), AfterValidator(_code)]
RegionCode = Annotated[str, _line(64), AfterValidator(_code)]
Phone = Annotated[str, _line(40), AfterValidator(_no_nul), AfterValidator(_phone)]
Email = Annotated[str, _line(254), AfterValidator(_no_nul), AfterValidator(_email)]
Words = Annotated[
    str,
    StringConstraints(min_length=1, max_length=DESCRIPTION_LIMIT),
    AfterValidator(_no_nul),
    AfterValidator(_some_words),
]
CategoryCode = Annotated[str, StringConstraints(max_length=100), AfterValidator(_category)]
PastInstant = Annotated[Instant, AfterValidator(_past)]


class RequestModel(BaseModel):
    """A request body: JSON types are not bent, unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class SourceIn(RequestModel):
    """Where the sender keeps the complaint; the pair makes the POST idempotent for ever."""

    system: Code
    id: Annotated[str, _line(500), AfterValidator(_no_nul)]


class CustomerIn(RequestModel):
    """Who complains: at least one of phone, e-mail and CRM reference, or `anonymous`."""

    name: Line | None = None
    phone: Phone | None = None
    email: Email | None = None
    crm_id: Line | None = None
    tier: Tier | None = None
    locale: Literal["zh-CN", "en"] | None = None
    anonymous: bool = False

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        known = self.phone or self.email or self.crm_id
        if self.anonymous and (known or self.name):
            raise PydanticCustomError(
                "anonymous_with_contact",
                "an anonymous complaint has no name, phone, email or crm_id",
            )
        if not self.anonymous and not known:
            raise PydanticCustomError(
                "contact_required", "give phone, email or crm_id, or anonymous: true"
            )
        return self


class ReferencesIn(RequestModel):
    """The order, contract and product it is about."""

    order: Line | None = None
    contract: Line | None = None
    product: Code | None = None


class PlaceIn(RequestModel):
    """Where it happened: a region's code, a point in degrees (WGS 84), or both."""

    region: RegionCode | None = None
    latitude: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)] | None = None
    longitude: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)] | None = None

    @model_validator(mode="after")
    def _whole_point(self) -> Self:
        if (self.latitude is None) != (self.longitude is None):
            raise PydanticCustomError(
                "half_a_point", "latitude and longitude are given together or not at all"
            )
        return self


COMPLAINT_EXAMPLE: JsonDict = {
    "channel": "web",
    "source": {"system": "shop-front", "id": "A-1029"},
    "customer": {
        "name": "王芳",
        "phone": "+86 138 0013 8000",
        "email": "wang@example.com",
        "crm_id": "C-77",
        "tier": "gold",
        "locale": "zh-CN",
    },
    "description": "周三收到的订单少了两件，客服一直推诿，再不处理我就打12315。",
    "occurred_at": "2026-11-18T18:30:00+08:00",
    "references": {"order": "20261118-443", "contract": None, "product": "SKU-88"},
    "place": {"region": "CN-31", "latitude": 31.23, "longitude": 121.47},
    "people": ["客服 037"],
    "demands": ["re_send", "apology"],
    "category": "logistics.short",
}


class ComplaintIn(RequestModel):
    """A complaint as a sender states it."""

    model_config = ConfigDict(json_schema_extra={"examples": [COMPLAINT_EXAMPLE]})

    channel: Channel
    description: Words
    customer: CustomerIn
    source: SourceIn | None = None
    occurred_at: PastInstant | None = None
    references: ReferencesIn | None = None
    place: PlaceIn | None = None
    people: Annotated[tuple[Line, ...], Field(max_length=50)] = ()
    demands: Annotated[tuple[Demand, ...], Field(max_length=20)] = ()
    category: CategoryCode | None = None

    def to_new(self) -> NewComplaint:
        """Return what is to be recorded."""
        who = self.customer
        about = self.references
        where = self.place
        return NewComplaint(
            channel=self.channel.value,
            description=self.description,
            contact=Contact(
                name=who.name,
                phone=who.phone,
                email=who.email,
                crm_id=who.crm_id,
                tier=who.tier.value if who.tier else None,
                locale=who.locale,
            ),
            source=SourceReference(self.source.system, self.source.id) if self.source else None,
            occurred_at=self.occurred_at,
            references=References(about.order, about.contract, about.product)
            if about
            else References(),
            place=Place(where.region, where.latitude, where.longitude) if where else Place(),
            people=self.people,
            demands=tuple(dict.fromkeys(demand.value for demand in self.demands)),
            category=self.category,
        )


CorrectedField = Literal["description", "occurred_at", "references", "place", "people", "demands"]


class AdditionIn(RequestModel):
    """Something that is added to a complaint, or put right in it."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"text": "两件是蓝色的杯子。", "by": "customer"}]}
    )

    text: Words
    by: Literal["customer", "staff"] = "staff"
    kind: Literal["addition", "correction", "objection"] = "addition"
    fields: Annotated[
        tuple[
            Literal["description", "occurred_at", "references", "place", "people", "demands"], ...
        ],
        Field(max_length=6),
    ] = ()

    @field_validator("kind")
    @classmethod
    def _is_the_customers_own(cls, kind: str, info: ValidationInfo) -> str:
        # From staff it would open nothing again and say nothing of it.
        if kind == "objection" and info.data.get("by") != "customer":
            raise PydanticCustomError("customers_own", "an objection is made by the customer")
        return kind


class ClassificationIn(RequestModel):
    """What a person decides about category and grade; what is left out stays."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"severity": "major", "why": "An allergic reaction is mentioned."}]
        }
    )

    category: CategoryCode | None = None
    severity: Severity | None = None
    urgency: Urgency | None = None
    why: Annotated[str, _line(2_000), AfterValidator(_no_nul)]
    by: Line | None = None

    @model_validator(mode="after")
    def _some_change(self) -> Self:
        if not (self.category or self.severity or self.urgency):
            raise PydanticCustomError("nothing_to_change", "give category, severity or urgency")
        return self
