"""What clients trust: read once, for the list of authorities is long."""

from __future__ import annotations

import ssl
from functools import cache

import httpx


@cache
def trusted_tls() -> ssl.SSLContext:
    """Return the context of all clients of this process: certificates are verified.

    Each client would otherwise read the authorities anew, in 30 ms and a megabyte.
    """
    return httpx.create_ssl_context()


def tls_for(url: str) -> ssl.SSLContext:
    """Return what a client of one address needs; without authorities where that is plain HTTP."""
    if url.startswith("http://"):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return trusted_tls()
