"""Saying and hearing events without losing or doubling any: outbox, relay, dispatch, dead letters.

A use case opens `Messaging.unit_of_work`, changes its rows and emits; the `Relay` brings the outbox
to the log; the `Dispatcher` brings the log to the handlers named in `Subscriptions`; what cannot be
handled waits in `DeadLetters`.
"""

from shared.messaging.dead_letters import DeadLetter, DeadLetters, Outcome
from shared.messaging.dispatcher import Dispatcher
from shared.messaging.outbox_rows import OutboxRow, outbox_row
from shared.messaging.relay import Relay, oldest_unpublished
from shared.messaging.subscriptions import Handler, Incoming, Subscriptions
from shared.messaging.tables import idempotency_keys, outbox
from shared.messaging.unit_of_work import Messaging, UnitOfWork

__all__ = [
    "DeadLetter",
    "DeadLetters",
    "Dispatcher",
    "Handler",
    "Incoming",
    "Messaging",
    "OutboxRow",
    "Outcome",
    "Relay",
    "Subscriptions",
    "UnitOfWork",
    "idempotency_keys",
    "oldest_unpublished",
    "outbox",
    "outbox_row",
]
