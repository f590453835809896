"""A browser's session: a signed cookie that names a key and ends; and tokens for forms.

Nothing is stored. A session ends with its time, with its key, or with the cookie.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import timedelta

from starlette.responses import Response

from shared.http.keys import ApiKey, KeyStore
from shared.kernel.clock import Clock

COOKIE = "redress_session"


class Sessions:
    """Makes and reads session cookies."""

    def __init__(self, keys: KeyStore, clock: Clock, *, lasts: timedelta, secure: bool) -> None:
        self._keys = keys
        self._clock = clock
        self._lasts = lasts
        self._secure = secure

    def begin(self, response: Response, key: ApiKey) -> None:
        """Set the cookie that stands for a key."""
        until = int((self._clock.now() + self._lasts).timestamp())
        text = f"{key.id}.{until}"
        response.set_cookie(
            COOKIE,
            f"{text}.{self._sign('session', text)}",
            max_age=int(self._lasts.total_seconds()),
            httponly=True,
            samesite="lax",
            secure=self._secure,
        )

    def end(self, response: Response) -> None:
        """Take the cookie away."""
        response.delete_cookie(COOKIE, httponly=True, samesite="lax", secure=self._secure)

    def read(self, cookie: str) -> ApiKey | None:
        """Return the key that a cookie stands for, None where it is over or not ours."""
        text, _, signature = cookie.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._sign("session", text).encode()):
            return None
        key_id, _, until = text.rpartition(".")
        if not until.isdecimal() or int(until) < self._clock.now().timestamp():
            return None
        return self._keys.get(key_id)

    def form_token(self, principal_id: str) -> str:
        """Return the token that a form of this caller carries (CSRF)."""
        return self._sign("form", principal_id)

    def is_form_token(self, token: str, principal_id: str) -> bool:
        """Tell whether a form's token was made for this caller."""
        return hmac.compare_digest(token.encode(), self.form_token(principal_id).encode())

    def _sign(self, purpose: str, text: str) -> str:
        message = f"{purpose}:{text}".encode("utf-8", "surrogatepass")
        digest = hmac.digest(self._keys.signing_key, message, hashlib.sha256)
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")
