"""Send a file to the running product, with a progress bar."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from services.intake_service.channels.client.files import Source, opened
from shared.kernel.errors import ConfigurationError, RedressError, Unavailable
from shared.kernel.ids import new_id

_ASK_EVERY_SECONDS = 0.5

Answer = Mapping[str, Any]


class ImportRefused(RedressError):
    """The product did not read the file to its end."""

    code = "import-refused"
    title = "The file was not read to its end"


def import_file(
    *,
    url: str,
    path: Path,
    mapping: str,
    encoding: str | None = None,
    sheet: str | None = None,
    api_key: str | None = None,
) -> None:
    """Send a CSV or NDJSON file (also .gz) or a workbook, wait for its end and print the counts.

    `mapping` is a name or a file, which is uploaded first; `encoding` goes before what it says.
    Raises ImportRefused, Unavailable, and ConfigurationError for a file that cannot be read.
    """
    console = Console()
    headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
    try:
        with (
            opened(path, encoding=encoding, sheet=sheet) as source,
            httpx.Client(base_url=url, headers=headers, timeout=30) as client,
        ):
            name = _upload(client, Path(mapping)) if _is_file(mapping) else mapping
            answer = _Sending(client, console).send(source, name)
    except httpx.ConnectError:
        raise Unavailable(f"nothing answers at {url}: start it with `make run`") from None
    except httpx.TransportError as failure:
        raise Unavailable(f"{url}: {str(failure) or type(failure).__name__}") from None
    _report(console, answer)


class _Sending:
    """Sends one file and asks meanwhile how far it is."""

    def __init__(self, client: httpx.Client, console: Console) -> None:
        self._client = client
        self._console = console
        self._id = new_id()

    def send(self, source: Source, mapping: str) -> Answer:
        with self._progress() as progress:
            task = progress.add_task(source.name, total=source.size, rows=0, rate="")
            answer = self._post(self._watched(source, progress, task), mapping, source.content_type)
            progress.update(task, completed=source.size, rows=answer["read"])
        return answer

    def _post(self, pieces: Iterator[bytes], mapping: str, form: str) -> Answer:
        try:
            response = self._client.post(
                "/v1/complaints/import",
                params={"mapping": mapping, "id": self._id},
                content=pieces,
                headers={"Content-Type": form},
                # The answer comes when the last batch is committed, however long that takes.
                timeout=httpx.Timeout(30, read=None, write=None),
            )
        except (httpx.WriteError, httpx.ReadError, httpx.RemoteProtocolError):
            # Refused while we were sending: the import itself tells why.
            answer = self._ask() or {}
            why = answer.get("failure") or "the connection broke: send the file again to go on"
            raise ImportRefused(str(why)) from None
        answer = _answer(response)
        if answer["state"] != "completed":
            raise ImportRefused(f"{answer['state']}: {answer.get('failure') or 'no reason given'}")
        return answer

    def _watched(self, source: Source, progress: Progress, task: TaskID) -> Iterator[bytes]:
        began = asked = time.monotonic()
        for piece in source.pieces:
            yield piece
            now = time.monotonic()
            if now - asked >= _ASK_EVERY_SECONDS:
                asked = now
                rows = int((self._ask() or {}).get("read", 0))
                rate = f"{rows / (now - began):,.0f} rows/s"
                progress.update(task, completed=source.position(), rows=rows, rate=rate)

    def _ask(self) -> Answer | None:
        try:
            response = self._client.get(f"/v1/imports/{self._id}")
        except httpx.TransportError:
            return None
        found: Answer | None = response.json() if response.status_code == 200 else None
        return found

    def _progress(self) -> Progress:
        return Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TextColumn("{task.fields[rows]:,} rows"),
            TextColumn("{task.fields[rate]}"),
            TimeElapsedColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )


def _is_file(mapping: str) -> bool:
    return "/" in mapping or mapping.endswith((".yaml", ".yml"))


def _upload(client: httpx.Client, file: Path) -> str:
    try:
        document = file.read_bytes()
    except OSError as failure:
        raise ConfigurationError(str(file), failure.strerror or "cannot be read") from None
    name = re.sub(r"[^a-z0-9._-]+", "-", file.stem.lower()).strip("-._") or "mapping"
    response = client.put(
        f"/v1/imports/mappings/{quote(name)}",
        content=document,
        headers={"Content-Type": "application/yaml"},
    )
    _answer(response)
    return name


def _answer(response: httpx.Response) -> Answer:
    try:
        body: Any = response.json()
    except ValueError:
        raise ImportRefused(f"answered {response.status_code}") from None
    if response.status_code >= 400:
        raise ImportRefused(str(body.get("detail") or body.get("title") or response.status_code))
    found: Answer = body
    return found


def _report(console: Console, answer: Answer) -> None:
    console.print(
        f"{answer['read']:,} rows read: {answer['accepted']:,} accepted,"
        f" {answer['existing']:,} existing, {answer['rejected']:,} rejected",
        highlight=False,
    )
    for what, count in sorted(answer.get("warnings", {}).items()):
        console.print(f"  kept without what cannot be true: {what} ({count:,})", highlight=False)
    console.print(f"Reject file: {answer['rejects_url']}", highlight=False, soft_wrap=True)
