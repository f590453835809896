"""Documents that are wrong ten thousand times over are refused as soon as those that are once."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ConfigDict

from shared.kernel.yaml_documents import InvalidDocument, read_yaml


class Document(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = ""


def refusal(text: str) -> InvalidDocument:
    with pytest.raises(InvalidDocument) as refused:
        read_yaml(text, Document, name="policy.yaml")
    return refused.value


def test_of_very_many_faults_the_first_are_told_and_how_many_there_are() -> None:
    found = refusal("".join(f"k{n}: 1\n" for n in range(10_000)))

    assert found.detail.endswith("(and 9999 more)")
    assert len(found.errors) == 50
    assert [error.pointer for error in found.errors[:2]] == ["/k0", "/k1"]
    assert found.errors[49].detail.startswith("line 50: ")


def test_of_very_many_keys_that_stand_twice_too() -> None:
    found = refusal("name: a\n" * 5_000)

    assert found.detail.endswith("(and 4998 more)")
    assert len(found.errors) == 50


def test_a_document_that_is_too_long_is_not_read() -> None:
    found = refusal("# " + "x" * 300_000)

    assert (found.errors[0].code, found.detail) == (
        "too_long",
        "policy.yaml, line 1: is longer than 256 KiB",
    )
