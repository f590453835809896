"""A team's chats: which room hears of which kinds of message."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, field_validator

DEFAULT_KINDS = frozenset(
    {
        "staff_breach",
        "staff_escalation",
        "staff_emergency",
        "staff_hotspot",
        "staff_incident",
        "operator_alert",
    }
)
"""What a room hears that names no kinds: what the whole team should look at."""

_NAME = r"^[a-z][a-z0-9_-]{0,39}$"


class Room(BaseModel):
    """One room; its address holds secrets and is never shown."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: SecretStr
    kinds: frozenset[str] = DEFAULT_KINDS
    locale: Literal["zh-CN", "en"] | None = Field(
        default=None, description="language of what is posted; default: the company's"
    )

    @field_validator("kinds")
    @classmethod
    def _are_for_staff(cls, kinds: frozenset[str], info: ValidationInfo) -> frozenset[str]:
        known: Collection[str] = (info.context or {}).get("kinds", kinds)
        for kind in sorted(kinds):
            if kind not in known or not kind.startswith(("staff_", "operator_")):
                raise ValueError(f"there are no messages to staff of the kind {kind!r}")
        return kinds


class Rooms(BaseModel):
    """All rooms by name, as the file of the setting has them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rooms: dict[str, Room] = {}

    @field_validator("rooms")
    @classmethod
    def _have_names(cls, rooms: dict[str, Room]) -> dict[str, Room]:
        for name in rooms:
            if re.fullmatch(_NAME, name) is None:
                raise ValueError("a room's name has small letters, digits, - and _")
        return rooms


class Address(BaseModel):
    """The parts of `scheme://secret@token/?endpoint=…`; raises ValueError that repeats nothing."""

    model_config = ConfigDict(frozen=True)

    scheme: str
    token: str
    secret: str | None
    endpoint: str | None

    @classmethod
    def read(cls, url: str) -> Address:
        """Read an address."""
        # By hand and not by the parser's host: that one makes tokens small letters.
        parts = urlsplit(url)
        secret, _, token = parts.netloc.rpartition("@")
        if not parts.scheme or not token:
            raise ValueError("must look like dingtalk://secret@token")
        return cls(
            scheme=parts.scheme.lower(),
            token=unquote(token),
            secret=unquote(secret) or None,
            endpoint=dict(parse_qsl(parts.query)).get("endpoint"),
        )
