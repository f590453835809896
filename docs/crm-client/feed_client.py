"""Ask Redress for events: store them with the cursor, and go on from there."""

from __future__ import annotations

import argparse
import http.client
import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from crm_store import CrmStore

NAME = "feed"
WAIT_SECONDS = 30
PAUSE_SECONDS = 5


def ask(url: str, after: str | None, types: str | None, wait: int) -> dict[str, Any]:
    """Ask for one page."""
    query = {"limit": "200", "wait": str(wait)}
    query |= {"after": after} if after else {}
    query |= {"types": types} if types else {}
    request = urllib.request.Request(f"{url}/v1/events?{urllib.parse.urlencode(query)}")
    key = os.environ.get("REDRESS_API_KEY")
    if key:
        request.add_header("Authorization", f"Bearer {key}")
    with urllib.request.urlopen(request, timeout=wait + 30) as answer:
        page: dict[str, Any] = json.load(answer)
    return page


def follow(store: CrmStore, url: str, types: str | None, *, once: bool) -> None:
    """Take pages in; with `once` until there is nothing more."""
    while True:
        after = store.position(NAME)
        try:
            page = ask(url, after, types, 0 if once else WAIT_SECONDS)
        except urllib.error.HTTPError as refused:
            # 429 and 5xx pass by themselves; anything else is a fault that waiting does not mend.
            if refused.code != 429 and refused.code < 500:
                sys.exit(f"{refused.code}: {refused.read().decode(errors='replace')}")
            asked_for = refused.headers.get("Retry-After", "")  # a proxy may send a date
            time.sleep(int(asked_for) if asked_for.isdecimal() else PAUSE_SECONDS)
            continue
        except (OSError, http.client.HTTPException, json.JSONDecodeError) as failure:
            # Also an answer that was cut: the cursor is the one before, so nothing is missed.
            print(f"{url} does not answer: {failure}", file=sys.stderr)
            time.sleep(PAUSE_SECONDS)
            continue
        # Also the cursor of an empty page: it may have moved on over events of other types.
        new = store.take(page["items"], (NAME, page["cursor"]))
        if page["items"]:
            print(f"{len(page['items'])} events, {new} of them new", flush=True)
        elif once and page["cursor"] == after:
            return


def main() -> None:
    """Follow the feed."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--url", default="http://127.0.0.1:8000")
    arguments.add_argument("--types", help="only these, with commas between them")
    arguments.add_argument("--store", type=Path, default=Path("crm.db"))
    arguments.add_argument("--once", action="store_true", help="end where there is nothing more")
    given = arguments.parse_args()
    if not given.url.startswith(("http://", "https://")):
        arguments.error("--url begins with http:// or https://")
    store = CrmStore(given.store)
    try:
        follow(store, given.url.rstrip("/"), given.types, once=given.once)
    except KeyboardInterrupt:
        pass
    finally:
        store.close()


if __name__ == "__main__":
    main()
