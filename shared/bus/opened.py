"""The readers that a bus has given out, so that stopping it closes those which are still open."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar


class Closable(Protocol):
    """A reader that may have been closed by whoever asked for it."""

    @property
    def is_closed(self) -> bool:
        """Whether it was let go."""
        ...

    async def close(self) -> None:
        """Let go."""
        ...


R = TypeVar("R", bound=Closable)


class OpenReaders(Generic[R]):
    """Forgets those that were closed as others come: the feed opens and closes one at each look."""

    def __init__(self) -> None:
        self._readers: list[R] = []

    def __iter__(self) -> Iterator[R]:
        """Walk over those that are open."""
        return (one for one in self._readers if not one.is_closed)

    def add(self, reader: R) -> None:
        """Take note of a reader that was opened."""
        self._readers = [one for one in self._readers if not one.is_closed] + [reader]

    async def close(self) -> None:
        """Close all that are open."""
        readers, self._readers = self._readers, []
        for reader in readers:
            await reader.close()
