"""An SMS gateway on loopback that fails on command and counts what reached a phone."""

from __future__ import annotations

import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson


@dataclass
class BadGateway:
    """Of a hundred requests `failing` go wrong, in turn by each way there is.

    One that `deduplicates` sends a reference to the phone once, however often it is handed over.
    """

    deduplicates: bool
    failing: int
    url: str = ""
    reached: Counter[str] = field(default_factory=Counter)
    requests: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _chance: random.Random = field(default_factory=lambda: random.Random(5))

    def fate(self, reference: str) -> str:
        """Decide what happens to a request, and let the message reach the phone where it does."""
        with self._lock:
            self.requests += 1
            fate = "taken"
            if self._chance.randrange(100) < self.failing:
                fate = self._chance.choice(("503", "429", "500", "hung up", "taken, then hung up"))
                self.failed[fate] += 1
            if fate.startswith("taken") and not (self.deduplicates and self.reached[reference]):
                self.reached[reference] += 1
            return fate


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    gateway: BadGateway

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        if len(body) < length:
            self._hang_up()  # who sent it was killed meanwhile
            return
        reference = orjson.loads(body)["reference"]
        fate = self.gateway.fate(reference)
        if fate.endswith("hung up"):
            self._hang_up()
            return
        said = orjson.dumps({"id": f"sms-{reference}"}) if fate == "taken" else b""
        self.send_response(202 if fate == "taken" else int(fate))
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def _hang_up(self) -> None:
        # Without lingering the connection is reset, as by a power cut.
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close_connection = True
        self.connection.close()
        self.rfile.close()

    def finish(self) -> None:
        if not self.rfile.closed:
            super().finish()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        return


@contextmanager
def running_gateway(*, deduplicates: bool, failing: int) -> Iterator[BadGateway]:
    """Run a gateway as long as it is needed."""
    gateway = BadGateway(deduplicates, failing)
    handler = type("Handler", (_Handler,), {"gateway": gateway})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    gateway.url = f"http://127.0.0.1:{server.server_address[1]}/sms"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield gateway
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
