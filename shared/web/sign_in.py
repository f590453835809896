"""Trade an API key for a browser's session."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from shared.http.auth import Gate
from shared.http.origin import require_same_origin
from shared.kernel.errors import Forbidden
from shared.web.pages import Pages, is_form_token

_PAGE = "site/sign_in.html"


def router(pages: Pages) -> APIRouter:
    """Make `/sign-in` and `/sign-out`."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/sign-in", response_class=HTMLResponse)
    async def ask(request: Request) -> Response:
        target = safe_target(request.query_params.get("next", "/"))
        return _page(pages, request, target, {})

    @routes.post("/sign-in")
    async def sign_in(request: Request) -> Response:
        require_same_origin(request)
        async with request.form() as form:
            secret = str(form.get("key", "")).strip()
            target = safe_target(str(form.get("next", "/")))
        gate: Gate = request.app.state.gate
        key = gate.keys.find(secret) if secret else None
        if key is None:
            message = "Enter your API key." if not secret else "This key is not known."
            wrong = {"key": pages.gettext(pages.language(request), message)}
            return _page(pages, request, target, wrong, status=422)
        response = RedirectResponse(target, 303)
        gate.sessions.begin(response, key)
        return response

    @routes.post("/sign-out")
    async def sign_out(request: Request) -> Response:
        async with request.form() as form:
            token = str(form.get("form_token", ""))
        if not is_form_token(request, token):
            raise Forbidden("The page was too old; go back, load it again and sign out there.")
        gate: Gate = request.app.state.gate
        response = RedirectResponse("/sign-in", 303)
        gate.sessions.end(response)
        return response

    return routes


def safe_target(target: str) -> str:
    """Return a path of ours to go on to; `/` for anything that could lead elsewhere."""
    plain = target.startswith("/") and not target.startswith(("//", "/\\"))
    return target if plain and target.isprintable() else "/"


def _page(
    pages: Pages, request: Request, target: str, errors: dict[str, str], *, status: int = 200
) -> Response:
    gate: Gate = request.app.state.gate
    return pages.render(
        request,
        _PAGE,
        status=status,
        target=target,
        errors=errors,
        has_keys=gate.keys.has_keys,
    )
