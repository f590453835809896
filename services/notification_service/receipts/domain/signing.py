"""Tell a vendor's callback from a forged one."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address
from urllib.parse import urlsplit, urlunsplit

Network = IPv4Network | IPv6Network


def twilio_signature(auth_token: str, url: str, form: Sequence[tuple[str, str]]) -> str:
    """Return `X-Twilio-Signature` of a form posted to `url`: HMAC-SHA1 over both, in base64."""
    # Twice the same name and value counts once, as Twilio's own libraries have it.
    pairs = "".join(f"{name}{value}" for name, value in sorted(set(form)))
    digest = hmac.new(auth_token.encode(), (url + pairs).encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def twilio_addresses(url: str) -> tuple[str, ...]:
    """Return how Twilio may write an address that it signs: with its port and without.

    Its own libraries accept both, since it does not say when it does which.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:  # a Host that is none
        return (url,)
    host = parts.netloc.removesuffix(f":{parts.port}")
    written = (url, *(urlunsplit(parts._replace(netloc=one)) for one in (host, f"{host}:{port}")))
    return tuple(dict.fromkeys(written))


def is_same(expected: str, given: str) -> bool:
    """Compare secrets in a time that tells nothing of them."""
    return hmac.compare_digest(expected.encode(), given.encode())


def comes_from(networks: Sequence[Network], address: str | None) -> bool:
    """Tell whether an address lies within the networks; without networks every one does."""
    if not networks:
        return True
    try:
        found = ip_address(address or "")
    except ValueError:
        return False
    return any(found in network for network in networks)
