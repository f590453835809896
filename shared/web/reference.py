"""The API reference, drawn by the server from the OpenAPI document, with examples filled in."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from itertools import groupby
from typing import Any

import orjson
from fastapi import APIRouter, FastAPI, Request
from starlette.responses import HTMLResponse, Response

from shared.http.openapi import operations
from shared.http.route_table import SITE, service_of
from shared.kernel.settings import CommonSettings
from shared.web.examples import EXAMPLE_ID, body_example, example_of, resolve
from shared.web.pages import Pages

_FIRST_COMPLAINT = {
    "channel": "web",
    "customer": {"name": "王芳", "phone": "+86 138 0013 8000"},
    "description": "周三收到的订单少了两件，客服一直推诿，再不处理我就打12315。",
}
_SHORT_LINES = 12
_SERVICES = ("intake", "workflow", "notification", "analytics", SITE)

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of an operation or one field of its body."""

    name: str
    place: str
    kind: str
    required: bool
    description: str


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of an operation."""

    status: str
    description: str
    example: str

    @property
    def is_short(self) -> bool:
        """Tell whether the example can stand open without hiding what follows."""
        return 0 < self.example.count("\n") < _SHORT_LINES


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation as the page shows it."""

    anchor: str
    service: str
    method: str
    path: str
    summary: str
    description: str
    parameters: tuple[Parameter, ...]
    body_fields: tuple[Parameter, ...]
    body_example: str
    answers: tuple[Answer, ...]
    curl: str


def router(pages: Pages, app: FastAPI, settings: CommonSettings) -> APIRouter:
    """Make `/docs`."""
    routes = APIRouter(include_in_schema=False)
    drawn: dict[str, list[tuple[str, list[Operation]]]] = {}

    @routes.get("/docs", response_class=HTMLResponse)
    def docs(request: Request) -> Response:
        # In a thread: nobody is kept waiting while the page is made for the first time.
        if "groups" not in drawn:
            drawn["groups"] = _grouped(app.openapi(), pages, settings)
        return pages.render(request, "site/docs.html", groups=drawn["groups"])

    return routes


def first_lines(pages: Pages, settings: CommonSettings, *, with_key: bool) -> list[str]:
    """Return the three curl lines to try first; they work when pasted."""
    key = " -H 'Authorization: Bearer '\"$KEY\"" if with_key else ""
    body = orjson.dumps(_FIRST_COMPLAINT).decode()
    post = address(pages, settings, "/v1/complaints")
    cases = address(pages, settings, "/v1/cases")
    heat = address(pages, settings, "/v1/analytics/heatmap?rows=category&columns=region")
    json_type = "-H 'Content-Type: application/json'"
    return [
        f"curl -s {post}{key} \\\n  {json_type} \\\n  -d {shlex.quote(body)}",
        f"curl -s {cases}{key}",
        f"curl -s '{heat}'{key}",
    ]


def address(pages: Pages, settings: CommonSettings, path: str) -> str:
    """Return the whole address of a path of ours."""
    link = pages.link(path)
    return settings.base_url + link if link.startswith("/") else link


def read_operations(document: Json, pages: Pages, settings: CommonSettings) -> list[Operation]:
    """Read an OpenAPI document into what the page shows."""
    return [
        _operation(document, path, method, found, address(pages, settings, path))
        for path, method, found in operations(document)
    ]


def _grouped(
    document: Json, pages: Pages, settings: CommonSettings
) -> list[tuple[str, list[Operation]]]:
    found = read_operations(document, pages, settings)
    found.sort(key=lambda each: (_SERVICES.index(each.service), each.path))
    return [(service, list(each)) for service, each in groupby(found, key=lambda o: o.service)]


def _operation(document: Json, path: str, method: str, found: Json, url: str) -> Operation:
    parameters = tuple(_parameter(document, each) for each in found.get("parameters", ()))
    body = found.get("requestBody", {})
    media_type, content = _first(body.get("content", {}))
    example = body_example(document, content) if media_type else None
    written = _pretty(example) if media_type.endswith("json") else str(example or "")
    anchor = f"{method}-{path.strip('/')}".replace("/", "-").replace("{", "").replace("}", "")
    return Operation(
        anchor=anchor,
        service=service_of(path),
        method=method.upper(),
        path=path,
        summary=found.get("summary", ""),
        description=_unwrapped(found.get("description", "")),
        parameters=parameters,
        body_fields=_fields(document, content.get("schema", {})),
        body_example=written,
        answers=tuple(_answers(document, found)),
        curl=_curl(document, method, url, found, (media_type, example)),
    )


def _parameter(document: Json, found: Json) -> Parameter:
    schema = found.get("schema", {})
    return Parameter(
        name=found["name"],
        place=found["in"],
        kind=_kind(document, schema),
        required=found.get("required", False),
        description=found.get("description", "") or schema.get("description", ""),
    )


def _unwrapped(text: str) -> str:
    """Join the lines of each paragraph: where they break is a matter of the source's width."""
    return "\n\n".join(" ".join(each.split("\n")) for each in text.split("\n\n"))


def _fields(document: Json, schema: Json, within: str = "") -> tuple[Parameter, ...]:
    """Return the fields of an object, those of the objects in it after each: `customer.phone`."""
    schema = resolve(document, schema)
    required = schema.get("required", ())
    found: list[Parameter] = []
    for name, inner in schema.get("properties", {}).items():
        found.append(
            Parameter(
                name=within + name,
                place="body",
                kind=_kind(document, inner),
                required=name in required,
                description=inner.get("description", ""),
            )
        )
        if not within:
            nested, mark = _object_in(document, inner)
            found += _fields(document, nested, f"{name}{mark}.")
    return tuple(found)


def _object_in(document: Json, schema: Json) -> tuple[Json, str]:
    """Return the object that a field holds, and `[]` where it is a list of them."""
    for each in schema.get("anyOf", ()):
        if each != {"type": "null"}:
            return _object_in(document, each)
    if schema.get("type") == "array":
        return _object_in(document, schema.get("items", {}))[0], "[]"
    return resolve(document, schema), ""


def _kind(document: Json, schema: Json) -> str:
    target = resolve(document, schema)
    if "enum" in target:
        return " | ".join(str(each) for each in target["enum"])
    if "$ref" in schema:
        return str(target.get("type", "object"))
    if "anyOf" in schema:
        kinds = [_kind(document, each) for each in schema["anyOf"] if each != {"type": "null"}]
        return " | ".join(dict.fromkeys(kinds))
    if "const" in schema:
        return str(schema["const"])
    if schema.get("type") == "array":
        return f"list of {_kind(document, schema.get('items', {}))}"
    kind = str(schema.get("type", "any"))
    return f"{kind} ({schema['format']})" if "format" in schema else kind


def _answers(document: Json, found: Json) -> list[Answer]:
    answers = []
    for status, answer in found.get("responses", {}).items():
        if status == "4XX":
            continue
        _media_type, content = _first(answer.get("content", {}))
        example = body_example(document, content) if content.get("schema") else None
        shown = _pretty(example) if example not in (None, {}, "", "string") else ""
        answers.append(Answer(status, _phrase(status, answer.get("description", "")), shown))
    return answers


def _curl(document: Json, method: str, url: str, found: Json, body: tuple[str, Any]) -> str:
    query = []
    for parameter in found.get("parameters", ()):
        example = _parameter_example(document, parameter)
        if parameter["in"] == "path":
            url = url.replace("{" + parameter["name"] + "}", example)
        elif parameter["in"] == "query" and parameter.get("required"):
            query.append(f"{parameter['name']}={example}")
    target = url + ("?" + "&".join(query) if query else "")
    line = f"curl -s {shlex.quote(target)}" + ("" if method == "get" else f" -X {method.upper()}")
    media_type, example = body
    if not media_type:
        return line
    line += f" \\\n  -H 'Content-Type: {media_type}'"
    if media_type.endswith("json"):
        return f"{line} \\\n  -d {shlex.quote(orjson.dumps(example).decode())}"
    return f"{line} \\\n  --data-binary @FILE"


def _phrase(status: str, description: str) -> str:
    # The framework's own words say less than the status itself.
    plain = status.isdecimal() and description == "Successful Response"
    return HTTPStatus(int(status)).phrase if plain else description


def _parameter_example(document: Json, parameter: Json) -> str:
    example = str(example_of(document, {**parameter.get("schema", {}), **parameter}))
    # An id without an example of its own is one of ours.
    return EXAMPLE_ID if example == "string" and parameter["name"].endswith("id") else example


def _first(contents: Json) -> tuple[str, Json]:
    return next(iter(contents.items()), ("", {}))


def _pretty(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode() if value is not None else ""
