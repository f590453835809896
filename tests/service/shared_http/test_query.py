"""A query parameter that a path does not have is refused, with a suggestion."""

from __future__ import annotations

from typing import Annotated

import pytest
from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict

from shared.http.pagination import Paging
from shared.http.query import KNOWN_QUERY
from tests.service.shared_http.ground import TestGround, client_of


class Question(BaseModel):
    """A query read into a model."""

    model_config = ConfigDict(extra="forbid")

    category: str | None = None


def _wanted(owner: str | None = None) -> str | None:
    return owner


def _routes() -> APIRouter:
    routes = APIRouter(prefix="/things", dependencies=[KNOWN_QUERY])

    @routes.get("")
    async def listed(
        page: Paging,
        owner: Annotated[str | None, Depends(_wanted)],
        of: Annotated[str | None, Query(alias="from")] = None,
    ) -> list[str | int | None]:
        return [page.limit, owner, of]

    @routes.get("/repeated")
    async def repeated(at: Annotated[list[int], Query()]) -> list[int]:
        return at

    @routes.get("/asked")
    async def asked(question: Annotated[Question, Query()]) -> str | None:
        return question.category

    return routes


async def test_parameters_of_a_path_and_of_its_dependencies_are_known(ground: TestGround) -> None:
    async with client_of(ground.app(_routes())) as client:
        listed = await client.get("/things?owner=li.na&limit=2&from=then")
        asked = await client.get("/things/asked?category=other")

    assert listed.json() == [2, "li.na", "then"]
    assert asked.json() == "other"


async def test_of_a_parameter_that_may_be_repeated_its_name_is_told(ground: TestGround) -> None:
    async with client_of(ground.app(_routes())) as client:
        answer = await client.get("/things/repeated?at=1&at=noon")

    assert [error["pointer"] for error in answer.json()["errors"]] == ["/query/at"]


@pytest.mark.parametrize(
    ("path", "pointer", "detail"),
    [
        ("/things?ownr=li.na", "/query/ownr", 'did you mean "owner"?'),
        ("/things?overdue=true", "/query/overdue", 'no query parameter "overdue" here.'),
        ("/things/asked?categori=other", "/query/categori", 'did you mean "category"?'),
    ],
)
async def test_any_other_parameter_is_refused(
    ground: TestGround, path: str, pointer: str, detail: str
) -> None:
    async with client_of(ground.app(_routes())) as client:
        answer = await client.get(path)

    (error,) = answer.json()["errors"]
    assert answer.status_code == 422
    assert (error["pointer"], error["code"]) == (pointer, "unknown_field")
    assert detail in error["detail"]


async def test_a_query_model_without_the_dependency_suggests_too(ground: TestGround) -> None:
    routes = APIRouter()

    @routes.get("/repeated")
    async def repeated(at: Annotated[list[int], Query()]) -> list[int]:
        return at

    @routes.get("/asked")
    async def asked(question: Annotated[Question, Query()]) -> str | None:
        return question.category

    async with client_of(ground.app(routes)) as client:
        answer = await client.get("/asked?categori=other")

    assert 'did you mean "category"?' in answer.json()["errors"][0]["detail"]
