"""What a service reacts to: event model → handler."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar

from shared.bus.port import LoggedRecord
from shared.events.base import EventData, Source
from shared.events.envelope import Envelope
from shared.messaging.unit_of_work import UnitOfWork

C = TypeVar("C")
E = TypeVar("E", bound=EventData)
E_co = TypeVar("E_co", bound=EventData, covariant=True)


@dataclass(frozen=True, slots=True)
class Incoming(Generic[E_co]):
    """An event that arrived: what it says, what stands around it, where it lies in the log."""

    envelope: Envelope
    data: E_co
    record: LoggedRecord


Handler = Callable[[C, UnitOfWork, Sequence[Incoming[E]]], Awaitable[None]]
"""Takes the service's own container, the batch's transaction, and events of one type.

One call holds at most one event of each complaint, so the handler may use bulk statements. It
must not commit. Whatever it raises undoes the whole batch; the dispatcher then finds the culprit.
"""


Foresee = Callable[[C, Sequence[LoggedRecord]], None]
"""Is told of the records of a batch before its turn comes, and may begin what needs no database.

What it sees need not be handled: records may be duplicates, or broken, or wait for others. It must
not raise.
"""


@dataclass(frozen=True)
class Subscriptions(Generic[C]):
    """The table of a service's handlers. `group` is `redress-<service>`.

    What `own` said itself comes back with the topic and is passed over without a mark: a service
    knows its own story, and half of what it reads would be marks of that.
    """

    topics: tuple[str, ...]
    group: str
    handlers: Mapping[type[EventData], Handler[C, Any]]
    own: Source | None = None
    foresee: Foresee[C] | None = None

    @cached_property
    def by_name(self) -> Mapping[str, type[EventData]]:
        """The event types that have a handler, by their name in the envelope."""
        return {model.__name__: model for model in self.handlers}
