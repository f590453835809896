"""`python -m benchmarks [--only NAME] [--quick]`: every benchmark in turn, one table each."""

from __future__ import annotations

import argparse
import os
import time
from importlib import import_module

from rich.console import Console

NAMES = (
    *("starting", "receiving", "handing_over", "telling", "consuming", "importing", "figures"),
    "timing",
    "tone",
)


def main() -> None:
    """Run the benchmarks asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", choices=NAMES, action="append", help="may be given again")
    parser.add_argument("--quick", action="store_true", help="a tenth of the data, shorter loads")
    arguments = parser.parse_args()
    console = Console()
    console.width = max(console.width, 110)  # into a file it would be 80: too narrow for some
    console.print(
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before the start; "
        "ratios within one run count, absolute figures are this machine's of this hour."
    )
    for name in arguments.only or NAMES:
        began = time.monotonic()
        import_module(f"benchmarks.{name}").main(console, quick=arguments.quick)
        console.print(f"{name}: {time.monotonic() - began:.0f} s\n", style="dim")


if __name__ == "__main__":
    main()
