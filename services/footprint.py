"""What a process that serves for months does to start soon and to stay small.

The shorter start is for whoever waits for it after a crash; the memory is that of the smallest
machine which the embedded profile is meant for.
"""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

_YOUNG_OBJECTS = 50_000
_YOUNG_OBJECTS_ALONE = 200_000
"""Between two collections. A batch of 500 events makes more objects than Python's usual 700, and
one of 5,000 from Kafka sixty thousand at once, all freed by their counts; what is left to be found
waits longer, in a process that has a service's memory to itself."""

_ARENA_MAX = -8
"""M_ARENA_MAX of malloc.h."""

_FOR_TERMINALS = ("rich", "pygments")


@contextmanager
def beginning() -> Iterator[None]:
    """Load what every command needs as a process should that serves; garbage waits for `settle`.

    httpx and structlog load `rich` and its like where they find them, for programs on a terminal:
    six megabytes. None is Python's own way to say "absent", and only while they load: who asks
    such a process for `--help` gets it by `rich`. Looking for garbage again and again while nearly
    nothing but code comes in takes a seventh of the start.
    """
    gc.disable()
    absent = [name for name in _FOR_TERMINALS if name not in sys.modules]
    for name in absent:
        sys.modules[name] = None  # type: ignore[assignment]  # typed as modules only
    yield
    for name in absent:
        del sys.modules[name]


def loaded() -> None:
    """Let what is built now take the place of what loading left behind."""
    if not gc.isenabled():
        gc.collect()


def settle(*, alone: bool = False) -> None:
    """Take what was loaded as lasting, and begin to collect again; `alone`: for one service only.

    Batches are freed by counting references; walking the whole program again and again because of
    them took a third of the time of an import.
    """
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS_ALONE if alone else _YOUNG_OBJECTS)
    gc.enable()
    _spare_the_search()


def unsettle() -> None:
    """Let the end of the process find everything.

    DuckDB's binding else lists what it takes for leaks: fifty lines on the terminal of whoever
    ends the product by Ctrl-C.
    """
    gc.unfreeze()


def share_the_heap() -> None:
    """Keep glibc from giving each of some thirty threads a heap of its own, most of it unused.

    They take turns at the interpreter, so two are enough; other C libraries are left as they are.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return
    mallopt(_ARENA_MAX, 2)


def _spare_the_search() -> None:
    """Let httpcore learn at once, each time it asks, that `sniffio` is not installed.

    It tries to import it four times for every request, and a search that finds nothing is begun
    anew each time: 0.3 ms of 0.9 for every SMS.
    """
    if "sniffio" not in sys.modules and find_spec("sniffio") is None:
        sys.modules["sniffio"] = None  # type: ignore[assignment]  # typed as modules only
