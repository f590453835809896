"""Whether a JSON Schema of an event may follow another one of the same version."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]

# What says the same in other words; everything else in a schema is part of the promise.
_WORDS = frozenset({"title", "description", "examples", "$id", "$schema", "$defs", "default"})
_FIELDS = frozenset({"properties", "required"})


def incompatibilities(old: Schema, new: Schema) -> Iterator[str]:
    """Say each way in which a reader of one would misread or refuse what the other describes."""
    comparison = _Comparison(old.get("$defs", {}), new.get("$defs", {}))
    yield from comparison.schemas(old, new, "the data", frozenset())


class _Comparison:
    """Walks two schemas side by side. `above` are the references that lead to where it stands."""

    def __init__(self, old_definitions: Schema, new_definitions: Schema) -> None:
        self._old = old_definitions
        self._new = new_definitions

    def schemas(self, old: Schema, new: Schema, place: str, above: frozenset[str]) -> Iterator[str]:
        reference = old.get("$ref", "")
        if reference in above:
            return  # a type that holds itself was compared where it begins
        inside = above | {reference} if reference else above
        old, new = _resolved(old, self._old), _resolved(new, self._new)
        if "properties" in old or "properties" in new:
            yield from self._fields(old, new, place, inside)
        for key in sorted((old.keys() | new.keys()) - _WORDS - _FIELDS):
            for reason in self._rule(old.get(key), new.get(key), place, inside):
                yield reason or f"{place}: {key} was {old.get(key)!r} and is {new.get(key)!r}"

    def _fields(self, old: Schema, new: Schema, place: str, above: frozenset[str]) -> Iterator[str]:
        before: Schema = old.get("properties", {})
        after: Schema = new.get("properties", {})
        needed_before, needed_after = set(old.get("required", ())), set(new.get("required", ()))
        for name in sorted(before.keys() - after.keys()):
            yield f"{place}: field {name} is gone"
        for name in sorted(after.keys() - before.keys()):
            if name in needed_after:
                yield f"{place}: the new field {name} has no default"
        for name in sorted(before.keys() & after.keys()):
            if (name in needed_before) != (name in needed_after):
                became = "required" if name in needed_after else "optional"
                yield f"{place}: field {name} became {became}"
            yield from self.schemas(before[name], after[name], f"{place}.{name}", above)

    def _rule(self, before: Any, after: Any, place: str, above: frozenset[str]) -> Iterator[str]:
        """Compare one keyword; an empty string stands for a plain difference."""
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            yield from self.schemas(before, after, place, above)
        elif _same_number_of_schemas(before, after):
            for one, other in zip(before, after, strict=True):
                yield from self.schemas(one, other, place, above)
        elif before != after:
            yield ""


def _resolved(schema: Schema, definitions: Schema) -> Schema:
    reference = schema.get("$ref")
    if reference is None:
        return schema
    found: Schema = definitions[reference.rpartition("/")[2]]
    return found


def _same_number_of_schemas(before: Any, after: Any) -> bool:
    if not isinstance(before, list) or not isinstance(after, list) or len(before) != len(after):
        return False
    return all(isinstance(one, Mapping) for one in (*before, *after))
