"""Read the routing table: the one that comes with the project, changed by a company's own."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

from pydantic import RootModel, ValidationInfo, model_validator

from services.notification_service.messages.domain.routing import Route, RoutingTable
from services.notification_service.messages.domain.words import Kind
from shared.kernel.errors import ConfigurationError
from shared.kernel.yaml_documents import InvalidDocument, read_yaml

_SETTING = "REDRESS_ROUTING_FILE"


class RoutingFile(RootModel[dict[str, Route]]):
    """Rows by name.

    Under `packaged` in the context lie the rows that a company's file changes: a row of theirs says
    only what differs, and those that it does not name stay.
    """

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, given: object, info: ValidationInfo) -> object:
        if not isinstance(given, dict):
            return given
        packaged: Mapping[str, Route] = (info.context or {}).get("packaged", {})
        changed = {name: _completed(name, row, packaged.get(name)) for name, row in given.items()}
        return dict(packaged) | changed

    @model_validator(mode="after")
    def _keeps_what_is_owed(self) -> Self:
        """Let nothing replace the acknowledgement, and what is owed only by what is owed too."""
        owed = {row.kind for row in self.root.values() if row.mandatory}
        for row in self.root.values():
            kept = {Kind.ACKNOWLEDGEMENT} if row.mandatory else owed | {Kind.ACKNOWLEDGEMENT}
            lost = sorted(row.supersedes & kept)
            if lost:
                raise ValueError(f"{row.name} cannot supersede {', '.join(lost)}: it must arrive")
        return self


def _completed(name: str, row: object, packaged: Route | None) -> object:
    if not isinstance(row, dict):
        return row
    base: dict[str, Any] = {"kind": name}
    if packaged is not None:
        base = packaged.model_dump(exclude_unset=True, by_alias=True)
    return base | row | {"name": name}


@cache
def packaged_table() -> RoutingTable:
    """Return the table that comes with the project; every kind has a row (held by a test)."""
    place = files("services.notification_service.messages").joinpath("routing.yaml")
    found = read_yaml(place.read_text(encoding="utf-8"), RoutingFile, name="routing.yaml")
    return RoutingTable(MappingProxyType(found.root))


def route_of(table: RoutingTable, name: str | None, kind: str) -> Route:
    """Return the row of a queued message, which may wait longer than a company's row stands."""
    found = table.row(name, kind) or packaged_table().row(None, kind)
    assert found is not None, "every kind has a row in the packaged table"
    return found


def routing_table(own: Path | None) -> RoutingTable:
    """Return the packaged table with a company's changes; raises ConfigurationError with a line."""
    if own is None:
        return packaged_table()
    try:
        text = own.read_text(encoding="utf-8")
        found = read_yaml(
            text, RoutingFile, name=own.name, context={"packaged": packaged_table().rows}
        )
    except OSError as failure:
        raise ConfigurationError(_SETTING, failure.strerror or "cannot be read") from None
    except UnicodeDecodeError:
        raise ConfigurationError(_SETTING, "is not UTF-8") from None
    except InvalidDocument as wrong:
        raise ConfigurationError(_SETTING, wrong.detail) from None
    return RoutingTable(MappingProxyType(found.root))
