"""Every error is `application/problem+json` (RFC 9457).

One table maps the kernel's error classes to statuses. An error that has a mapping
`extensions` adds its members to the problem (`allowed_actions` and alike).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Match

from shared.http import negotiation
from shared.http.edge import FAULT_TOLD, method_of, template_of
from shared.http.invalid import (
    UnsupportedMediaType,
    from_request_validation,
    unreadable_body,
)
from shared.kernel import errors, logging
from shared.kernel.errors import FieldError, InvalidInput, RateLimited, RedressError

log = logging.get(__name__)

MEDIA_TYPE = "application/problem+json"

_STATUS: tuple[tuple[type[RedressError], int], ...] = (
    (InvalidInput, 422),
    (errors.NotAuthenticated, 401),
    (errors.Forbidden, 403),
    (errors.NotFound, 404),
    (errors.Conflict, 409),
    (errors.PreconditionFailed, 412),
    (errors.TooLarge, 413),
    (UnsupportedMediaType, 415),
    (RateLimited, 429),
    (errors.Unavailable, 503),
)

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

_PLAIN: Mapping[int, tuple[str, str]] = {
    404: ("unknown-path", "There is no such path"),
    405: ("method-not-allowed", "The path does not take this method"),
    406: ("not-acceptable", "None of the forms you accept can be given"),
    413: ("too-large", errors.TooLarge.title),
    500: ("internal", "Something broke on our side"),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem as it is written into an answer."""

    code: str
    title: str
    status: int
    detail: str
    errors: tuple[FieldError, ...] = ()
    extensions: Mapping[str, object] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def to_json(self, instance: str) -> bytes:
        """Write the problem; `instance` is the path that was asked for."""
        members: dict[str, object] = {
            "type": f"/problems/{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "instance": instance,
        }
        if self.errors:
            members["errors"] = self.errors
        return orjson.dumps(members | dict(self.extensions))


PageOfProblem = Callable[[Request, Problem], Response]
"""Draws a problem for a browser. `shared.web` puts one on `app.state.problem_page`."""


def status_of(error: RedressError) -> int:
    """Return the HTTP status of an error; 500 for one that is no caller's concern."""
    for kind, status in _STATUS:
        if isinstance(error, kind):
            return status
    return 500


def problem_of(error: RedressError) -> Problem:
    """Describe an error of ours as a problem."""
    status = status_of(error)
    extensions = getattr(error, "extensions", {})
    headers: dict[str, str] = {}
    if isinstance(error, RateLimited):
        headers["Retry-After"] = str(error.retry_after_seconds)
    elif status == 503:
        headers["Retry-After"] = "2"
    elif status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="redress"'
    if status == 500:
        return internal_problem()
    return Problem(
        code=error.code,
        title=error.title,
        status=status,
        detail=error.detail,
        errors=error.errors if isinstance(error, InvalidInput) else (),
        extensions=extensions,
        headers=headers,
    )


def plain_problem(
    status: int, detail: str = "", headers: Mapping[str, str] | None = None
) -> Problem:
    """Describe an HTTP status that the framework answered by itself."""
    code, title = _PLAIN.get(status, ("error", HTTPStatus(status).phrase))
    return Problem(
        code=code, title=title, status=status, detail=detail or title, headers=headers or {}
    )


def internal_problem() -> Problem:
    """Describe a fault of our own without telling what it was."""
    return plain_problem(500, "The fault is logged under the X-Request-Id of this answer.")


def respond(request: Request, problem: Problem) -> Response:
    """Answer a problem: a page for a browser that was navigating, JSON for everybody else."""
    draw: PageOfProblem | None = getattr(request.app.state, "problem_page", None)
    if draw is not None and negotiation.wants_page(request):
        return draw(request, problem)
    return Response(
        problem.to_json(request.url.path),
        problem.status,
        headers={**problem.headers, "Cache-Control": "no-store"},
        media_type=MEDIA_TYPE,
    )


def install(app: FastAPI) -> None:
    """Make every error of an app a problem."""
    app.add_exception_handler(RedressError, _on_redress_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(Exception, _on_fault)


async def _on_redress_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RedressError)
    if status_of(error) == 500:
        log.error("request.failed", route=template_of(request.scope), exc_info=error)
    return respond(request, problem_of(error))


async def _on_invalid_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return respond(request, problem_of(from_request_validation(request, error)))


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    carried = error.__cause__
    if isinstance(carried, RedressError):
        return respond(request, problem_of(carried))
    path = request.url.path
    detail = str(error.detail or "")
    if error.status_code == 404:
        detail = f"Nothing answers at {path}. /docs lists every path."
    elif error.status_code == 405:
        allowed = ", ".join(_methods_of(request))
        detail = f"{path} takes {allowed or 'other methods'}, not {method_of(request.scope)}."
        return respond(request, plain_problem(405, detail, {"Allow": allowed}))
    elif error.status_code == 400:
        # The framework's own word for a body it could not read; ours for that is 422.
        return respond(request, problem_of(unreadable_body(error.__cause__)))
    return respond(request, plain_problem(error.status_code, detail, error.headers))


def _methods_of(request: Request) -> list[str]:
    """Return the methods that the request's path takes, by whichever routes.

    The framework names those of the first that fits.
    """
    scope = {key: value for key, value in request.scope.items() if key != "fastapi"}
    routes = request.app.routes
    found = [
        method
        for method in _METHODS
        if any(route.matches({**scope, "method": method})[0] is Match.FULL for route in routes)
    ]
    return ["GET", "HEAD", *found[1:]] if found[:1] == ["GET"] else found


async def _on_fault(request: Request, error: Exception) -> Response:
    log.error("request.failed", route=template_of(request.scope), exc_info=error)
    request.scope[FAULT_TOLD] = True
    return respond(request, internal_problem())
