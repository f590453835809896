"""Take events that Redress posts: verify, store, and only then say that they were taken."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from crm_store import CrmStore
from standardwebhooks import Webhook, WebhookVerificationError

MOST_BYTES = 1024 * 1024


def handler_of(store: CrmStore, secret: str) -> type[BaseHTTPRequestHandler]:
    """Make the handler of requests."""
    signed = Webhook(secret)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if not length.isdecimal() or int(length) > MOST_BYTES:
                self.close_connection = True
                return self._answer(413)
            body = self.rfile.read(int(length))
            try:
                # Verifies key and time: an old request that somebody recorded is refused too.
                signed.verify(body, dict(self.headers))
            except (WebhookVerificationError, ValueError):
                return self._answer(401)
            store.take([json.loads(body)])
            return self._answer(204)

        def _answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
            print(f"{self.address_string()} {format % args}", file=sys.stderr)

    return Handler


def main() -> None:
    """Listen until told to stop."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--host", default="127.0.0.1")
    arguments.add_argument("--port", type=int, default=9000)
    arguments.add_argument("--store", type=Path, default=Path("crm.db"))
    given = arguments.parse_args()
    secret = os.environ.get("REDRESS_WEBHOOK_SECRET", "")
    if not secret.startswith("whsec_"):
        sys.exit("set REDRESS_WEBHOOK_SECRET to the secret that subscribing has shown")
    store = CrmStore(given.store)
    server = ThreadingHTTPServer((given.host, given.port), handler_of(store, secret))
    for ending in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ending, lambda *_: sys.exit(0))
    print(f"listening on {given.host}:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
