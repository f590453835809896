"""Ports for servers that are told theirs before they listen."""

from __future__ import annotations

import secrets
import socket
from pathlib import Path

_EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")
_LOWEST = 20_000
"""Above what other programs are known by, and our own usual ones."""
_ROOM = 1_000
"""Fewer to choose from are no choice: two processes would often take the same."""
_TRIES = 100

_given: set[int] = set()


def free_port() -> int:
    """Return a TCP port on the loopback address that nobody listens on now.

    One that the kernel gives to nobody by itself, where it is known which these are: from the
    others an outgoing connection, or who binds any port, may have it before the server does. No
    port is given twice by a process: the first server may not listen yet.
    """
    room = _never_given_by_kernel()
    for _ in range(_TRIES if len(room) >= _ROOM else 0):
        # Not by `random`: where its seed is fixed, as in tests, all processes choose alike.
        port = secrets.choice(room)
        if port not in _given and is_free(port):
            _given.add(port)
            return port
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_free(port: int) -> bool:
    """Tell whether the port can be listened on."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _never_given_by_kernel() -> range:
    """Return the ports below those that the kernel gives by itself; empty where it does not say."""
    try:
        lowest = int(_EPHEMERAL.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return range(0)
    return range(_LOWEST, lowest)
