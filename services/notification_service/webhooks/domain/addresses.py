"""Which addresses we may call: not ourselves, not the inside of anybody's network (SSRF).

What is judged is the address that a connection goes to, never a name: a name can mean another
address a moment later.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# Not private by the registries, and yet an inside: clouds' metadata at Azure and at Oracle.
_INSIDE: tuple[Network, ...] = (ip_network("168.63.129.16/32"), ip_network("192.0.0.0/24"))
_NAT64 = IPv6Network("64:ff9b::/96")


def networks(text: str) -> tuple[Network, ...]:
    """Read networks separated by commas; raises ValueError naming one that is none."""
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())


def may_be_called(address: str, *, allowed: Sequence[Network], encrypted: bool) -> bool:
    """Tell whether a connection may go to an address.

    Anything within `allowed`; otherwise only what is public, and there only encrypted.
    """
    found = _meant(ip_address(address.partition("%")[0]))
    if any(found in network for network in allowed):
        return True
    return encrypted and _is_public(found)


def _meant(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one stands for, where it does."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _is_public(address: Address) -> bool:
    is_local = isinstance(address, IPv6Address) and address.is_site_local
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not address.is_unspecified
        and not is_local
        and not any(address in network for network in _INSIDE)
    )
