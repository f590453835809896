"""What `/v1/customers/{customer_id}/preferences` takes and answers."""

from __future__ import annotations

from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.notification_service.preferences.domain.choices import Preferences
from services.notification_service.preferences.repository.stored import Stored

EXAMPLE: dict[str, Any] = {
    "channel": "email",
    "locale": "zh-CN",
    "timezone": "Asia/Shanghai",
    "quiet_hours": {"from": "21:30", "to": "08:30"},
    "consent": {
        "service": {"sms": None, "email": True},
        "survey": {"sms": False, "email": True},
    },
    "do_not_contact": False,
}


class ChosenZone(BaseModel):
    """The time zone that a customer chose, null for none."""

    timezone: str | None


class PreferencesIn(Preferences):
    """The whole of a customer's preferences: what is left out is chosen no longer."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE})


class Change(BaseModel):
    """One change: who made it, when, and which fields it touched."""

    version: int
    changed_by: str
    changed_at: AwareDatetime
    fields: list[str] = Field(description="such as `channel` or `consent`")


_CHANGE = {"changed_by": "customer", "changed_at": "2026-11-22T08:00:00Z"}


class PreferencesOut(Preferences):
    """A customer's preferences as they are, and how they came to be."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "customer_id": "01930b1c-7a10-7c33-9d0c-6f1b5a2e7c02",
                "version": 1,
                **_CHANGE,
                **EXAMPLE,
                "changes": [{"version": 1, **_CHANGE, "fields": ["channel", "consent"]}],
            }
        }
    )

    customer_id: str
    version: int = Field(description="also the ETag; 0: nothing was ever chosen")
    changed_by: str | None = Field(description="`customer`, or the key that changed it")
    changed_at: AwareDatetime | None
    changes: list[Change] = Field(description="the last twenty, newest first: proof of consent")


def preferences_out(stored: Stored, changes: list[Stored]) -> PreferencesOut:
    """Return the answer for a customer; `changes` newest first."""
    given = {name: getattr(stored.chosen, name) for name in Preferences.model_fields}
    before = [*(one.chosen for one in changes[1:]), Preferences()]
    return PreferencesOut(
        **given,
        customer_id=stored.customer_id,
        version=stored.version,
        changed_by=stored.changed_by,
        changed_at=stored.changed_at,
        changes=[_change(one, was) for one, was in zip(changes, before, strict=True)][:20]
        if changes
        else [],
    )


def _change(one: Stored, was: Preferences) -> Change:
    assert one.changed_by is not None
    assert one.changed_at is not None
    names = [n for n in Preferences.model_fields if getattr(one.chosen, n) != getattr(was, n)]
    return Change(
        version=one.version, changed_by=one.changed_by, changed_at=one.changed_at, fields=names
    )
