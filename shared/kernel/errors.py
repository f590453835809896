"""The few errors that every service's own errors specialise.

`shared.http.problems` maps each class here to one HTTP status; a command prints the
message on one line and exits with 1.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong field: a JSON pointer, a stable code and words for a front-end developer."""

    pointer: str
    code: str
    detail: str


class RedressError(Exception):
    """Base of everything that Redress raises on purpose.

    `code` names the kind of problem: the last segment of its page under `/problems/`.
    """

    code = "error"
    title = "Something went wrong"

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class InvalidInput(RedressError):
    """The request cannot be understood or breaks a rule of its fields (422)."""

    code = "invalid-input"
    title = "Some fields are not valid"

    def __init__(self, detail: str, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(detail)
        self.errors = tuple(errors)


def invalid_input(errors: Sequence[FieldError]) -> InvalidInput:
    """Gather wrong fields into the one error that is answered; the first per pointer stands."""
    first: dict[str, FieldError] = {}
    for error in errors:
        first.setdefault(error.pointer, error)
    count = len(first)
    if count == 1:
        only = next(iter(first.values()))
        detail = f"{only.pointer}: {only.detail}" if only.pointer else only.detail
    else:
        detail = f"{count} fields are not valid; see errors."
    return InvalidInput(detail, tuple(first.values()))


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return `; did you mean "phone"?` where a known word is near, else nothing."""
    near = difflib.get_close_matches(word.lower(), list(known), n=1, cutoff=0.6)
    return f'; did you mean "{near[0]}"?' if near else ""


class NotAuthenticated(RedressError):
    """No credential, or one that is not known (401)."""

    code = "not-authenticated"
    title = "Sign in or send an API key"


class Forbidden(RedressError):
    """The credential is known and does not reach this far (403)."""

    code = "forbidden"
    title = "Not allowed with this credential"


class NotFound(RedressError):
    """What was asked for does not exist (404)."""

    code = "not-found"
    title = "Not found"


class Conflict(RedressError):
    """The state of the thing does not allow this now (409)."""

    code = "conflict"
    title = "Not possible in this state"


class PreconditionFailed(RedressError):
    """Somebody else changed the thing since it was read (412)."""

    code = "stale-version"
    title = "Changed by somebody else since you read it"


class TooLarge(RedressError):
    """The body is over the limit (413)."""

    code = "too-large"
    title = "The request is too large"


class RateLimited(RedressError):
    """Too many requests from one caller (429)."""

    code = "rate-limited"
    title = "Too many requests"

    def __init__(self, detail: str, *, retry_after_seconds: int) -> None:
        super().__init__(detail)
        self.retry_after_seconds = retry_after_seconds


class Unavailable(RedressError):
    """A part that is needed cannot be reached or has no room now; trying again can help (503)."""

    code = "unavailable"
    title = "Not available right now"


class ConfigurationError(RedressError):
    """A setting is missing or wrong: the start stops and names the setting."""

    code = "configuration"
    title = "A setting is wrong"

    def __init__(self, setting: str, detail: str) -> None:
        super().__init__(f"{setting}: {detail}")
        self.setting = setting
