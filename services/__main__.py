"""`python -m services`: the command line."""

from __future__ import annotations

import sys

from services import footprint


def main() -> None:
    """Run one command; exits with 1, or 2 for a wrong call, and one line on standard error."""
    if sys.argv[1:2] in (["run"], ["serve"]):
        footprint.begin()
    # Not before: what it loads looks for what is left out above.
    from services.commands import line

    line.main()


if __name__ == "__main__":
    main()
