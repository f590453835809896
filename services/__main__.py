"""`python -m services`: the command line."""

from __future__ import annotations

import sys
from contextlib import nullcontext

from services import footprint


def main() -> None:
    """Run one command; exits with 1, or 2 for a wrong call, and one line on standard error."""
    serves = sys.argv[1:2] in (["run"], ["serve"])
    with footprint.beginning() if serves else nullcontext():
        from services.commands import line
    line.main()


if __name__ == "__main__":
    main()
