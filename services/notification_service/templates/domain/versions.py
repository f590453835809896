"""The states of a wording's versions."""

from __future__ import annotations

from enum import StrEnum


class VersionState(StrEnum):
    """A draft may become active; one that another replaced is retired and may come back."""

    DRAFT = "draft"
    ACTIVE = "active"
    RETIRED = "retired"
