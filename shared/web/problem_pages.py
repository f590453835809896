"""What each problem means and what to do about it, as a page and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from shared.http import problems
from shared.http.auth import MissingScope
from shared.http.negotiation import wants_page
from shared.http.problems import PageOfProblem, Problem, status_of
from shared.kernel.errors import NotFound, RedressError
from shared.web.i18n import Language
from shared.web.pages import Pages
from shared.web.problem_texts import (
    FIELD_CODES,
    FRAMEWORK_PROBLEMS,
    OF_STATUS,
    PAGE_REMEDIES,
    TEXTS,
)


class UnknownProblem(NotFound):
    """No problem here has this code."""

    code = "unknown-problem"
    title = "There is no such problem"


@dataclass(frozen=True, slots=True)
class Explanation:
    """A kind of problem: English words, translated when they are shown."""

    code: str
    status: int
    title: str
    meaning: str
    remedy: str


def router(pages: Pages) -> APIRouter:
    """Make `/problems` and `/problems/{code}`."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/problems")
    async def index(request: Request) -> Response:
        known = sorted(explanations().values(), key=lambda each: (each.status, each.code))
        if not wants_page(request):
            items = [_to_json(pages, request, each) for each in known]
            return JSONResponse({"items": items, "next_cursor": None})
        return pages.render(request, "site/problems.html", problems=known)

    @routes.get("/problems/{code}")
    async def explain(request: Request, code: str) -> Response:
        found = explanations().get(code)
        if found is None:
            raise UnknownProblem(f"No problem is called {code}; /problems lists them all.")
        if not wants_page(request):
            return JSONResponse(_to_json(pages, request, found))
        codes = FIELD_CODES if code == "invalid-input" else {}
        return pages.render(request, "site/problem_kind.html", problem=found, field_codes=codes)

    return routes


def drawer(pages: Pages) -> PageOfProblem:
    """Return what draws a problem for a browser. A stranger is led to the sign-in."""

    def draw(request: Request, problem: Problem) -> Response:
        if problem.status == 401 and request.method == "GET":
            target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            return RedirectResponse(f"/sign-in?next={quote(target, safe='/')}", 303)
        language = pages.language(request)
        # Not in the template: what it translates is taken for markup, and this is a caller's.
        detail = _detail(pages, language, problem)
        meaning, remedy = _own_words(problem)
        return pages.render(
            request,
            "site/problem.html",
            status=problem.status,
            headers=problem.headers,
            problem=problem,
            detail=detail,
            meaning=meaning if detail == problem.detail and language.tag != "en" else "",
            errors=[(e.pointer, pages.gettext(language, e.detail)) for e in problem.errors],
            remedy=remedy,
            request_id=request.scope.get("redress.request_id", ""),
        )

    return draw


def _own_words(problem: Problem) -> tuple[str, str]:
    """Return what it means and what a person does about it, by its code or else by its status."""
    code = problem.code if problem.code in TEXTS else OF_STATUS.get(problem.status, "")
    meaning, remedy = TEXTS.get(code, ("", ""))
    return meaning, PAGE_REMEDIES.get(code, remedy)


def _detail(pages: Pages, language: Language, problem: Problem) -> str:
    """Return what happened in the reader's language, where the catalogue has it."""
    if problem.code == MissingScope.code and "scope" in problem.extensions:
        return pages.gettext(language, MissingScope.TEXT) % problem.extensions
    return pages.gettext(language, problem.detail)


def explanations() -> dict[str, Explanation]:
    """Return every kind of problem that the code loaded in this process can raise, by code."""
    found: dict[str, Explanation] = {}
    for kind in _kinds(RedressError):
        status = status_of(kind.__new__(kind))
        if status == 500:
            continue
        meaning, remedy = TEXTS.get(kind.code, (_first_line(kind), ""))
        found.setdefault(kind.code, Explanation(kind.code, status, kind.title, meaning, remedy))
    for status, code in FRAMEWORK_PROBLEMS.items():
        title = problems.plain_problem(status).title
        found[code] = Explanation(code, status, title, *TEXTS[code])
    return found


def _kinds(base: type[RedressError]) -> Iterator[type[RedressError]]:
    for kind in base.__subclasses__():
        yield kind
        yield from _kinds(kind)


def _first_line(kind: type[RedressError]) -> str:
    first = (kind.__doc__ or kind.title).strip().partition("\n")[0]
    return first.partition(" (4")[0].partition(" (5")[0].rstrip(".") + "."


def _to_json(pages: Pages, request: Request, found: Explanation) -> dict[str, object]:
    language = pages.language(request)
    return {
        "type": f"/problems/{found.code}",
        "status": found.status,
        "title": found.title,
        "meaning": pages.gettext(language, found.meaning),
        "remedy": pages.gettext(language, found.remedy) if found.remedy else None,
    }
