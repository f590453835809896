"""`python -m deploy.local services|up|down|assets`. Errors are one line and exit code 1."""

from __future__ import annotations

import argparse
import fcntl
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


def main() -> None:
    """Run one command."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local", description=__doc__)
    parser.add_argument("command", choices=_COMMANDS)
    command = _COMMANDS[parser.parse_args().command]
    try:
        command()
    except _known_errors() as failure:
        sys.exit(f"redress: {failure}")
    except KeyboardInterrupt:
        sys.exit(130)


def _assets() -> None:
    # Set-up has only what serving needs, so the commands load what they use by themselves.
    from deploy.local.assets import make_assets

    make_assets()


def _services() -> None:
    from deploy.local.stores import start_stores

    with _alone():
        postgres, kafka = start_stores()
    sys.stdout.write(
        f"PostgreSQL  {postgres.url()}\nKafka       {kafka.bootstrap}\n"
        "Tests use them with REDRESS_TEST_POSTGRES_URL and REDRESS_TEST_KAFKA_BOOTSTRAP; "
        "`make down` stops them.\n"
    )


def _up() -> None:
    from deploy.local.layout import LOCAL_ENV, REPOSITORY
    from deploy.local.services import up

    with _alone():
        processes = up()
    for process in processes:
        sys.stdout.write(f"{process.title:16} {process.url}\n")
    sys.stdout.write(f"Settings: {LOCAL_ENV.relative_to(REPOSITORY)}; logs: var/up/\n")


def _down() -> None:
    from deploy.local.services import down
    from deploy.local.stores import stop_stores

    with _alone():
        stopped = down() + stop_stores()
    sys.stdout.write(f"Stopped: {', '.join(stopped) or 'nothing ran'}\n")


_COMMANDS: dict[str, Callable[[], None]] = {
    "services": _services,
    "up": _up,
    "down": _down,
    "assets": _assets,
}


def _known_errors() -> tuple[type[Exception], ...]:
    try:
        from deploy.local.processes import CannotStart
    except ImportError:
        return (OSError,)
    return (CannotStart, OSError)


@contextmanager
def _alone() -> Iterator[None]:
    """Let no second command start or stop things meanwhile."""
    from deploy.local.layout import HOME

    HOME.mkdir(exist_ok=True)
    with (HOME / "local.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    main()
