"""`python -m shared.events.golden --check | --write`."""

from __future__ import annotations

import sys

from shared.events.golden import complaints_about, write


def main(arguments: list[str]) -> int:
    """Check the promises, or write down new ones; returns the exit code."""
    if arguments == ["--write"]:
        written, wrong = write()
        for name in written:
            print(f"written: {name}")
    elif arguments == ["--check"]:
        wrong = list(complaints_about())
    else:
        wrong = ["use --check or --write"]
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
