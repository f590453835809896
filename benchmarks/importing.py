"""Import real files through the running embedded product, up to the heat map.

Aim: 2,000 rows/s end to end. The files lie in the folder `REDRESS_TEST_DATA`.
"""

from __future__ import annotations

import csv
import gzip
import math
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table

from benchmarks.machines import embedded, whole_cpu_seconds
from tests.harness.product import Product, eventually

LIMIT_SECONDS = 300


@dataclass(frozen=True, slots=True)
class File:
    """A file, its mapping, and the columns that tell how long the matter took."""

    name: str
    mapping: str
    zone: str = "UTC"
    id: str = ""
    begins: str = ""
    ends: str = ""


FILES = (
    File("cfpb_complaints.csv.gz", "cfpb"),
    File(
        "chicago_311_sanitation.csv.gz", "chicago-311", "America/Chicago",
        "Service_Request_Number", "Creation_Date", "Completion_Date",
    ),
    File(
        "zh_gov_messages_replies.csv.gz", "zh-messages", "Asia/Shanghai",
        "留言编号", "留言时间", "答复时间",
    ),
)  # fmt: skip


def main(console: Console, *, quick: bool = False) -> None:
    """Import each file twice into a product of its own; says so where the files are not here."""
    folder = Path(os.environ.get("REDRESS_TEST_DATA", "../shared/data"))
    if not (folder / FILES[0].name).exists():
        console.print("importing: no data files here; set REDRESS_TEST_DATA")
        return
    columns = (
        "file", "accepted", "existing", "rejected", "rows/s sent", "to heat map", "with cases",
        "CPU ms/row", "again", "messages", "as in the file",
    )  # fmt: skip
    table = Table(*columns, title="Import, embedded (aim: 2,000 rows/s to the heat map)")
    for file in FILES[2:] if quick else FILES:
        with embedded() as product:
            table.add_row(file.mapping, *one_file(product, folder / file.name, file))
    console.print(table)


def one_file(product: Product, path: Path, file: File) -> list[str]:
    """Import a file twice and return the cells of its row."""
    pid = product.processes["embedded"].pid
    cpu, began = whole_cpu_seconds(pid), time.perf_counter()
    first = send(product, path, file.mapping)
    sent = time.perf_counter() - began
    eventually(lambda: heat(product) >= first["accepted"], seconds=LIMIT_SECONDS, what="heat map")
    counted = time.perf_counter() - began
    eventually(lambda: not without_case(product), seconds=LIMIT_SECONDS, what="cases")
    whole = time.perf_counter() - began
    cpu = whole_cpu_seconds(pid) - cpu
    agreement = compare(product, path, file) if file.ends else "no times in it"
    again = send(product, path, file.mapping)
    if heat(product) != first["accepted"]:
        raise RuntimeError(f"{heat(product)} in the heat map, {first['accepted']} accepted")
    rows = first["read"]
    return [
        *(f"{first[name]:,}" for name in ("accepted", "existing", "rejected")),
        *(f"{rows / seconds:,.0f}" for seconds in (sent, counted, whole)),
        f"{cpu / rows * 1000:.2f}",
        f"+{again['accepted']}",
        str(len(product.get("/v1/notifications")["items"])),
        agreement,
    ]


def send(product: Product, path: Path, mapping: str) -> Any:
    """Import a file by the command line and return what the import says of itself."""
    command = [sys.executable, "-m", "services", "import", str(path), "--mapping", mapping]
    subprocess.run(
        [*command, "--url", product.urls["intake"]], check=True, stdout=subprocess.DEVNULL
    )
    return product.get("/v1/imports")["items"][0]


def heat(product: Product) -> int:
    """Return the heat map's total."""
    total: int = product.get("/v1/analytics/heatmap")["total"]
    return total


def without_case(product: Product) -> bool:
    """Tell whether a complaint is counted whose case is not yet: it has no department."""
    return None in product.get("/v1/analytics/heatmap", columns="department")["columns"]


def compare(product: Product, path: Path, file: File) -> str:
    """Set the product's percentiles beside those of the file; "=" where all are the same."""
    expected = sorted(resolution_seconds(path, file))
    [group] = product.get("/v1/analytics/resolution-times", stage="total")["groups"]
    pairs = [
        (expected_at(expected, share), group[f"p{round(share * 100)}_seconds"])
        for share in (0.5, 0.9, 0.99)
    ]
    if len(expected) == group["count"] and all(math.isclose(*pair) for pair in pairs):
        return f"= ({len(expected):,})"
    return f"≠ count {len(expected)}/{group['count']}, {pairs}"


def resolution_seconds(path: Path, file: File) -> Iterator[float]:
    """Yield what each row of the file tells, the first of an id, in plain Python."""
    zone, seen = ZoneInfo(file.zone), set[str]()
    with gzip.open(path, "rt", encoding="utf-8-sig", newline="") as lines:
        for row in csv.DictReader(lines):
            if row[file.id] in seen:
                continue
            seen.add(row[file.id])
            if row[file.ends]:
                begins, ends = instant(row[file.begins], zone), instant(row[file.ends], zone)
                if ends >= begins:
                    yield (ends - begins).total_seconds()


def instant(text: str, zone: ZoneInfo) -> datetime:
    """Read a local time; UTC, because subtracting local ones would forget the summer time."""
    return datetime.fromisoformat(text.strip()).replace(tzinfo=zone).astimezone(UTC)


def expected_at(values: Sequence[float], share: float) -> float:
    """Return a percentile of sorted values, linearly interpolated."""
    place = (len(values) - 1) * share
    low, high = values[math.floor(place)], values[math.ceil(place)]
    return low + (high - low) * (place - math.floor(place))


if __name__ == "__main__":
    main(Console())
