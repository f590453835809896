"""The renderer of every page."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import CodeType
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import FastAPI
from jinja2 import BytecodeCache, Environment, FileSystemLoader, StrictUndefined
from jinja2.bccache import Bucket
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse

from shared.http.access import Principal, Scope
from shared.http.auth import Gate, authenticate
from shared.http.route_table import SITE, service_of
from shared.kernel.clock import Clock, SystemClock
from shared.kernel.errors import RedressError
from shared.kernel.settings import CommonSettings
from shared.web.formats import Formats
from shared.web.i18n import (
    LANG_COOKIE,
    LANG_PARAMETER,
    LANGUAGES,
    Lang,
    Language,
    language_of,
    load_catalogue,
)

_HERE = Path(__file__).parent
_NEEDED: Mapping[str, Scope] = {
    "/cases": Scope.CASES_READ,
    "/dashboard": Scope.ANALYTICS_READ,
    "/outbox": Scope.NOTIFICATIONS_READ,
}
"""What it takes to open the pages that all others lead to."""
_YEAR_SECONDS = 365 * 86_400
_MOST_ENVIRONMENTS = 32
_CSP: Mapping[str, str] = {
    "default-src": "'self'",
    "img-src": "'self' data:",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}


class _Compiled(BytecodeCache):
    """What templates were compiled to, once for all languages, clocks and services of a process.

    A page takes 5 to 50 ms to compile, in which nobody else is answered.
    """

    def __init__(self) -> None:
        self._found: dict[str, tuple[str, CodeType | None]] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        checksum, code = self._found.get(bucket.key, ("", None))
        if checksum == bucket.checksum:
            bucket.code = code

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._found[bucket.key] = (bucket.checksum, bucket.code)


_COMPILED = _Compiled()


class Pages:
    """Renders templates in the reader's language.

    `templates` and `locales` are the caller's own folders; the shared ones (`base.html` and its
    macros, the words they use) are always there. Every template can use, beside its context:
    `lang`, `language`, `languages`, `company`, `nonce`, `link(path)`, `url_with(**changes)`,
    `form_token`, `principal`, `may(scope)`, `opens(path)`, `now`, gettext (`_`, `ngettext`) and the
    filters of `Formats`.
    """

    def __init__(
        self,
        settings: CommonSettings,
        *,
        clock: Clock | None = None,
        templates: Sequence[Path] = (),
        locales: Sequence[Path] = (),
    ) -> None:
        self._settings = settings
        self._clock = clock or SystemClock()
        chinese = load_catalogue([_HERE / "locale", *locales])
        english = load_catalogue([])
        self._words = {"zh-CN": chinese, "en": english}
        self._folders = [*templates, _HERE / "templates"]
        self._environments = {
            (tag, settings.zone.key): self._environment(tag, settings.zone) for tag in LANGUAGES
        }

    def render(
        self,
        request: HTTPConnection,
        name: str,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        csp: Mapping[str, str] | None = None,
        spoken: Lang | None = None,
        zone: ZoneInfo | None = None,
        **context: object,
    ) -> HTMLResponse:
        """Render a page. `csp` adds sources to directives, such as `{"worker-src": "'self'"}`.

        Where the address carries `?lang=`, the choice is kept in a cookie. `spoken` is the language
        of a reader who is known, `zone` the zone of their clock; the company's where it is not.
        """
        language = self.language(request, spoken=spoken)
        nonce = secrets.token_urlsafe(16)
        template = self._in_zone(language.tag, zone).get_template(name)
        text = template.render(self._common(request, language, nonce) | context)
        response = HTMLResponse(text, status, headers=dict(headers or {}))
        response.headers["Content-Security-Policy"] = _policy(nonce, csp or {})
        response.headers["Content-Language"] = language.tag
        response.headers.setdefault("Cache-Control", "no-store")
        if LANG_PARAMETER in request.query_params:
            response.set_cookie(
                LANG_COOKIE, language.tag, max_age=_YEAR_SECONDS, samesite="lax", httponly=True
            )
        return response

    def language(self, request: HTTPConnection, *, spoken: Lang | None = None) -> Language:
        """Return the language that this reader gets; `spoken` is theirs where it is known."""
        return language_of(request, self._settings.default_locale, spoken=spoken)

    def gettext(self, language: Language, message: str) -> str:
        """Translate a message outside a template."""
        return self._words[language.tag].gettext(message)

    def formats(self, language: Language, zone: ZoneInfo | None = None) -> Formats:
        """Return the ways of writing dates and numbers in a language, for use outside templates."""
        clock, words = self._clock, self._words[language.tag]
        return Formats(language, zone or self._settings.zone, clock, words)

    def link(self, path: str) -> str:
        """Return where a path of ours is answered: here, or at another service's own address."""
        service = service_of(path)
        if service == SITE or self._settings.public_url:
            return path
        own: str | None = getattr(self._settings, f"{service}_url")
        return own.rstrip("/") + path if own else path

    def _in_zone(self, tag: str, zone: ZoneInfo | None) -> Environment:
        """Return the environment that writes times by this clock.

        Each holds its own pages, and a customer may choose any zone there is: beyond a few the one
        that was made first is made anew.
        """
        by_clock = zone or self._settings.zone
        found = self._environments.get((tag, by_clock.key))
        if found is None:
            if len(self._environments) >= _MOST_ENVIRONMENTS:
                kept = self._settings.zone.key
                del self._environments[next(one for one in self._environments if one[1] != kept)]
            found = self._environments[tag, by_clock.key] = self._environment(tag, by_clock)
        return found

    def _environment(self, tag: str, zone: ZoneInfo) -> Environment:
        environment = Environment(
            loader=FileSystemLoader(self._folders),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.i18n"],
            # What is compiled must not depend on a language: no filter is worked out beforehand.
            optimized=False,
            bytecode_cache=_COMPILED,
        )
        words = self._words[tag]
        # Known to Jinja's own i18n extension only, which has no type for it.
        environment.install_gettext_translations(words, newstyle=True)  # type: ignore[attr-defined]
        formats = self.formats(LANGUAGES[tag], zone)
        environment.globals["ngettext"] = formats.counted
        environment.filters.update(formats.filters())
        environment.globals["link"] = self.link
        is_ours = zone.key == self._settings.zone.key
        environment.globals["zone"] = formats.zone_name() if is_ours else formats.clock_name()
        environment.globals["company"] = self._settings.company
        return environment

    def _common(self, request: HTTPConnection, language: Language, nonce: str) -> dict[str, object]:
        principal = _principal(request)
        return {
            "request": request,
            "lang": language.tag,
            "language": language,
            "languages": tuple(LANGUAGES.values()),
            "nonce": nonce,
            "now": self._clock.now(),
            "principal": principal,
            "may": lambda scope: principal is not None and principal.may(Scope(scope)),
            "opens": lambda path: _opens(principal, path),
            "form_token": form_token(request),
            "url_with": lambda **changes: url_with(request, **changes),
        }


def url_with(request: HTTPConnection, **changes: object) -> str:
    """Return the address of this page with some query parameters set, or left out where None."""
    kept = [(n, v) for n, v in request.query_params.multi_items() if n not in changes]
    kept += [(n, str(v)) for n, v in changes.items() if v is not None]
    query = urlencode(kept)
    return request.url.path + (f"?{query}" if query else "")


def form_token(request: HTTPConnection) -> str:
    """Return the token for this caller's forms (field `form_token`), "" for a stranger."""
    principal = _principal(request)
    return _gate(request).sessions.form_token(principal.id) if principal else ""


def is_form_token(request: HTTPConnection, token: str) -> bool:
    """Tell whether a form came from a page that we gave to this caller."""
    principal = _principal(request)
    return principal is not None and _gate(request).sessions.is_form_token(token, principal.id)


def _principal(request: HTTPConnection) -> Principal | None:
    try:
        return authenticate(request)
    except RedressError:
        return None


def _opens(principal: Principal | None, path: str) -> bool:
    """Tell whether to offer a page; a stranger is, and signs in on the way."""
    needed = _NEEDED.get(path)
    return principal is None or needed is None or principal.may(needed)


def _gate(request: HTTPConnection) -> Gate:
    app: FastAPI = request.app
    gate: Gate = app.state.gate
    return gate


def _policy(nonce: str, extra: Mapping[str, str]) -> str:
    directives = dict(_CSP)
    directives["script-src"] = directives["style-src"] = f"'self' 'nonce-{nonce}'"
    for name, sources in extra.items():
        directives[name] = f"{directives.get(name, '')} {sources}".strip()
    return "; ".join(f"{name} {sources}" for name, sources in directives.items())
