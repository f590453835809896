"""All commands, and how they end: an error is one line on standard error and a non-zero exit."""

from __future__ import annotations

import sys

import typer

from services.commands import dead_letters, doctor, events, keys, run, work
from shared.kernel.errors import RedressError

app = typer.Typer(
    name="redress",
    help="Complaint handling that loses nothing: run it, feed it, look into it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command("run")(run.run)
app.command("serve")(run.serve)
app.command("migrate")(run.migrate)
app.command("import")(work.import_file)
app.command("demo")(work.demo)
app.command("rebuild")(work.rebuild)
app.command("doctor")(doctor.doctor)
app.add_typer(events.app, name="events")
app.add_typer(dead_letters.app, name="dead-letters")
app.add_typer(keys.app, name="keys")


# Typer exports only this leaf of click's usage errors; its parent covers unknown options as well.
_USAGE_ERROR: type[Exception] = typer.BadParameter.__mro__[1]


def main() -> None:
    """Run one command; exits with 1, or 2 for a wrong call, and one line on standard error."""
    try:
        sys.exit(app(standalone_mode=False))
    except RedressError as failure:
        sys.exit(f"redress: {failure.detail}")
    except _USAGE_ERROR as wrong:
        # Without words where no command was given: help was printed, and is the answer.
        if str(wrong):
            print(f"redress: {wrong}", file=sys.stderr)
        sys.exit(2)
    except (KeyboardInterrupt, typer.Abort):
        sys.exit(130)
