"""What `/v1/webhooks` takes and answers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from services.notification_service.webhooks.domain.words import DeliveryState, WebhookState
from services.notification_service.webhooks.repository.deliveries import Listed
from services.notification_service.webhooks.repository.subscriptions import Webhook
from shared.http.instants import Instant
from shared.http.words import form

_MOST = 100
_URL = "https://crm.example.com/redress"
_ID = "01930b1c-7d7f-7a80-8000-4f2d1f6f0a11"
_SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oDpUXGSSbAMd4="  # noqa: S105 - an example
_SHOWN: dict[str, Any] = {
    "id": _ID,
    "url": _URL,
    "types": ["CaseOpened", "Closed"],
    "categories": ["logistics"],
    "departments": [],
    "state": "active",
    "reason": None,
    "failing_since": None,
    "pending": None,
    "parked": None,
    "created_by": "crm",
    "created_at": "2026-11-22T08:00:00Z",
    "updated_at": "2026-11-22T08:00:00Z",
}


Type = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Code = Annotated[str, form(r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$", "a code such as logistics.short")]
Url = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Types = Annotated[list[Type], Field(max_length=_MOST, description="Event types; none: all")]
Categories = Annotated[
    list[Code],
    Field(max_length=_MOST, description="Categories, or the first level of some; none: all"),
]
Departments = Annotated[
    list[Code],
    Field(
        max_length=_MOST,
        description="Departments that have the case, or had it before the event; none: all",
    ),
]


class WebhookBody(BaseModel):
    """Where events go, and which: alternatives within a list, all lists together."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"url": _URL, "types": ["CaseOpened", "Closed"]}},
    )

    url: Url
    types: Types | None = None
    categories: Categories | None = None
    departments: Departments | None = None


class WebhookChange(BaseModel):
    """What is to be changed; null for a list takes the filter away."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"types": ["Closed"]}})

    url: Url | None = None
    types: Types | None = None
    categories: Categories | None = None
    departments: Departments | None = None


class ResendBody(BaseModel):
    """One event by its id, or all whose `time` lies from `from` on and before `to`."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {"from": "2026-11-22T08:00:00Z", "to": "2026-11-22T09:00:00Z"}
        },
    )

    event_id: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = None
    start: Instant | None = Field(default=None, alias="from")
    end: Instant | None = Field(default=None, alias="to")

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        spans = (self.start is not None) + (self.end is not None)
        if spans != (0 if self.event_id is not None else 2):
            raise ValueError('send either "event_id", or both "from" and "to"')
        if self.start is not None and self.end is not None and self.start >= self.end:
            raise ValueError('"to" must lie after "from"')
        return self


class SkipBody(BaseModel):
    """The event that a complaint shall go on without."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"event_id": _ID}})

    event_id: Annotated[str, StringConstraints(min_length=1, max_length=64)]


class Resent(BaseModel):
    """How many deliveries go out again."""

    model_config = ConfigDict(json_schema_extra={"example": {"resent": 12}})

    resent: int


class WebhookView(BaseModel):
    """A subscription; its secret is shown only when it is made."""

    model_config = ConfigDict(json_schema_extra={"example": _SHOWN})

    id: str
    url: str
    types: list[str]
    categories: list[str]
    departments: list[str]
    state: WebhookState = Field(
        description="paused: by somebody; suspended: failed for long and is probed; "
        "disabled: answered 410"
    )
    reason: str | None = Field(description="The last failure of an endpoint that fails")
    failing_since: AwareDatetime | None
    pending: int | None = Field(default=None, description="Deliveries that wait; on one only")
    parked: int | None = Field(default=None, description="Deliveries given up; on one only")
    created_by: str
    created_at: AwareDatetime
    updated_at: AwareDatetime

    @classmethod
    def of(cls, webhook: Webhook, waiting: tuple[int, int] | None = None) -> WebhookView:
        """Show a subscription, with how much waits where that was counted."""
        pending, parked = waiting if waiting is not None else (None, None)
        return cls(**_fields(webhook), pending=pending, parked=parked)


class NewWebhookView(WebhookView):
    """A subscription with its new secret, shown this once."""

    model_config = ConfigDict(json_schema_extra={"example": _SHOWN | {"secret": _SECRET}})

    secret: str = Field(description="`whsec_` and base64, as Standard Webhooks says")
    old_secrets_end_at: AwareDatetime | None = Field(
        default=None, description="Until then the key before signs too"
    )

    @classmethod
    def with_secret(
        cls, webhook: Webhook, secret: str, old_end_at: datetime | None = None
    ) -> NewWebhookView:
        """Show a subscription with its secret."""
        return cls(**_fields(webhook), secret=secret, old_secrets_end_at=old_end_at)


class DeliveryView(BaseModel):
    """One event on its way to one endpoint."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": 812,
                "event_id": _ID,
                "type": "CaseOpened",
                "complaint_id": "01930b1c-7a10-7c33-9d0c-6f1b5a2e7c01",
                "event_time": "2026-11-22T08:00:00Z",
                "state": "pending",
                "attempts": 3,
                "last_status": 503,
                "last_error": "answered 503",
                "last_attempt_at": "2026-11-22T08:00:41Z",
                "next_attempt_at": "2026-11-22T08:01:12Z",
                "created_at": "2026-11-22T08:00:01Z",
                "delivered_at": None,
            }
        }
    )

    id: int
    event_id: str = Field(description="the webhook-id, the same at every try")
    type: str
    complaint_id: str = Field(description="the event's subject")
    event_time: AwareDatetime
    state: DeliveryState
    attempts: int
    last_status: int | None = Field(description="HTTP status of the last answer, if any")
    last_error: str | None
    last_attempt_at: AwareDatetime | None
    next_attempt_at: AwareDatetime | None = Field(
        description="null: as soon as the endpoint is sent to and those before it are taken"
    )
    created_at: AwareDatetime
    delivered_at: AwareDatetime | None

    @classmethod
    def of(cls, row: Listed) -> DeliveryView:
        """Show a delivery."""
        return cls(complaint_id=row.subject, **row._asdict())


def _fields(webhook: Webhook) -> dict[str, Any]:
    return {name: value for name, value in webhook._asdict().items() if name in _VIEWED}


_VIEWED = frozenset(WebhookView.model_fields)
