"""Every instant that a body takes is RFC 3339 with its offset, in all four services."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

import services
from shared.http.instants import Instant


def _bodies() -> Iterator[type[BaseModel]]:
    """Yield the models that callers fill in: they alone refuse unknown fields."""
    for found in pkgutil.walk_packages(services.__path__, "services."):
        if ".schemas" not in found.name:
            continue
        for model in vars(importlib.import_module(found.name)).values():
            is_model = isinstance(model, type) and issubclass(model, BaseModel)
            # An answer (`…Out`) may be made of the body that asked for it.
            if (
                is_model
                and model.model_config.get("extra") == "forbid"
                and not model.__name__.endswith("Out")
            ):
                yield model


def _is_instant(field: FieldInfo) -> bool:
    return "datetime" in repr(field.annotation).lower()


FIELDS = {
    f"{model.__module__}.{model.__name__}.{name}": field
    for model in _bodies()
    for name, field in model.model_fields.items()
    if _is_instant(field)
}
NO_INSTANTS = ["1730000000", "1730000000.5", '"1730000000"', "true", '"2026-11-22"', '""', "[]"]


def test_there_are_bodies_with_instants() -> None:
    assert {name.split(".")[1] for name in FIELDS} == {
        "intake_service",
        "workflow_service",
        "notification_service",
    }


@pytest.mark.parametrize("given", NO_INSTANTS)
@pytest.mark.parametrize("name", FIELDS)
def test_no_body_takes_a_number_for_an_instant(name: str, given: str) -> None:
    field = FIELDS[name]
    annotation: Any = field.annotation
    for rule in field.metadata:
        annotation = Annotated[annotation, rule]
    taken = TypeAdapter[Any](annotation)

    with pytest.raises(ValidationError) as refused:
        taken.validate_json(given)

    assert refused.value.errors()[0]["type"] == "invalid_datetime"


@pytest.mark.parametrize(
    "given", ["2026-11-22T16:00:00+08:00", "2026-11-22T08:00:00.000Z", "2026-11-22t08:00z"]
)
def test_an_instant_with_any_offset_is_taken_as_utc(given: str) -> None:
    assert TypeAdapter(Instant).validate_python(given) == datetime(2026, 11, 22, 8, tzinfo=UTC)


def test_an_instant_without_an_offset_is_refused() -> None:
    with pytest.raises(ValidationError, match="timezone"):
        TypeAdapter(Instant).validate_python("2026-11-22T16:00:00")
