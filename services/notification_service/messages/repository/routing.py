"""Read the routing table: the one that comes with the project, changed by a company's own."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Self

from pydantic import Discriminator, RootModel, Tag, ValidationInfo, model_validator

from services.notification_service.messages.domain.routing import (
    Route,
    RoutingTable,
    Row,
    Withdrawal,
)
from services.notification_service.messages.domain.words import Kind
from shared.kernel.errors import ConfigurationError
from shared.kernel.yaml_documents import InvalidDocument, read_yaml

_SETTING = "REDRESS_ROUTING_FILE"


_NOBODY = "nobody"


def _which(row: object) -> str:
    to = row.get("to") if isinstance(row, dict) else getattr(row, "to", None)
    return "[withdrawal]" if to == _NOBODY else "[route]"


# The tags stand in brackets: what is wrong is told by the file's own words (`read_yaml`).
AnyRow = Annotated[
    Annotated[Route, Tag("[route]")] | Annotated[Withdrawal, Tag("[withdrawal]")],
    Discriminator(_which),
]


class RoutingFile(RootModel[dict[str, AnyRow]]):
    """Rows by name.

    Under `packaged` in the context lie the rows that a company's file changes: a row of theirs says
    only what differs, and those that it does not name stay.
    """

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, given: object, info: ValidationInfo) -> object:
        if not isinstance(given, dict):
            return given
        packaged: Mapping[str, Row] = (info.context or {}).get("packaged", {})
        changed = {name: _completed(name, row, packaged.get(name)) for name, row in given.items()}
        return dict(packaged) | changed

    @model_validator(mode="after")
    def _keeps_what_is_owed(self) -> Self:
        """Let nothing replace the acknowledgement, and what is owed only by what is owed too.

        Or by a fact that makes it untrue, of which nobody is told.
        """
        routes = [row for row in self.root.values() if isinstance(row, Route)]
        owed = {row.kind for row in routes if row.mandatory}
        for row in self.root.values():
            may_all = isinstance(row, Withdrawal) or row.mandatory
            kept = {Kind.ACKNOWLEDGEMENT} if may_all else owed | {Kind.ACKNOWLEDGEMENT}
            lost = sorted(row.supersedes & kept)
            if lost:
                raise ValueError(f"{row.name} cannot supersede {', '.join(lost)}: it must arrive")
        return self

    def table(self) -> RoutingTable:
        """Return the rows as they are asked for."""
        every = self.root.items()
        return RoutingTable(
            MappingProxyType({name: row for name, row in every if isinstance(row, Route)}),
            MappingProxyType({name: row for name, row in every if isinstance(row, Withdrawal)}),
        )


def _completed(name: str, row: object, packaged: Row | None) -> object:
    if not isinstance(row, dict):
        return row
    base: dict[str, Any] = {} if row.get("to") == _NOBODY else {"kind": name}
    if packaged is not None:
        base = packaged.model_dump(exclude_unset=True, by_alias=True)
    return base | row | {"name": name}


@cache
def packaged_table() -> RoutingTable:
    """Return the table that comes with the project; every kind has a row (held by a test)."""
    place = files("services.notification_service.messages").joinpath("routing.yaml")
    found = read_yaml(place.read_text(encoding="utf-8"), RoutingFile, name="routing.yaml")
    return found.table()


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
        packaged = {**packaged_table().rows, **packaged_table().withdrawals}
        found = read_yaml(text, RoutingFile, name=own.name, context={"packaged": packaged})
    except OSError as failure:
        raise ConfigurationError(_SETTING, failure.strerror or "cannot be read") from None
    except UnicodeDecodeError:
        raise ConfigurationError(_SETTING, "is not UTF-8") from None
    except InvalidDocument as wrong:
        raise ConfigurationError(_SETTING, wrong.detail) from None
    return found.table()
