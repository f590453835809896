"""Which failures of a database pass by themselves, and how callers are told of them.

That a server is away, busy or full is nobody's fault and worth another try. A value that does not
fit its column or SQL that is wrong fails for ever, whichever class the driver gives it: asyncpg
calls the one an InterfaceError, sqlite3 the other an OperationalError.
"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.kernel.errors import Unavailable

# PostgreSQL: connection, authorization and database that does not exist (yet); serialization
# failure, deadlock, lock not available; no room; shutting down or starting; standby; I/O error.
_PASSING_STATES = (
    "08", "28", "3D", "40001", "40P01", "55P03", "53", "57P", "25006", "58",
)  # fmt: skip
_SQLITE_KIND = 0xFF
"""The low byte of a SQLite error code is its kind, the rest says more about it."""


def hung(context: ExceptionContext) -> Unavailable | None:
    """Tell of a statement that was not answered in time, for SQLAlchemy's `handle_error`.

    Its connection is not used again: the answer may still come. Whether the statement was carried
    out is not known, as after a cut.
    """
    if not isinstance(context.original_exception, TimeoutError):
        return None
    context.is_disconnect = True
    return Unavailable("the database does not answer in time")


def is_passing(failure: DBAPIError) -> bool:
    """Tell whether trying the same again can help."""
    if failure.connection_invalidated:
        return True
    driver = failure.orig
    if isinstance(driver, sqlite3.OperationalError):
        code = getattr(driver, "sqlite_errorcode", sqlite3.SQLITE_BUSY)
        return bool(code & _SQLITE_KIND != sqlite3.SQLITE_ERROR)
    state = getattr(driver, "sqlstate", None)
    if state is not None:
        return str(state).startswith(_PASSING_STATES)
    # asyncpg's word for a broken connection, and for a value that it cannot write.
    unwritable = driver is not None and isinstance(driver.__cause__, ValueError | TypeError)
    return isinstance(failure, InterfaceError) and not unwritable


@asynccontextmanager
async def reached(
    opening: AbstractAsyncContextManager[AsyncConnection],
) -> AsyncIterator[AsyncConnection]:
    """Enter a connection or transaction; raises Unavailable where the database is to blame.

    Errors that are the enclosed code's own, an OSError among them, pass as they are.
    """
    try:
        async with AsyncExitStack() as stack:
            yield await _entered(stack, opening)
    except DBAPIError as failure:
        if is_passing(failure):
            raise Unavailable(_reason(failure)) from failure
        raise


async def _entered(
    stack: AsyncExitStack, opening: AbstractAsyncContextManager[AsyncConnection]
) -> AsyncConnection:
    try:
        return await stack.enter_async_context(opening)
    except NoConnectionFree as failure:
        raise Unavailable("the database is busy: no connection became free in time") from failure
    except OSError as failure:
        reason = failure.strerror or type(failure).__name__
        raise Unavailable(f"the database cannot be reached: {reason}") from failure


def _reason(failure: DBAPIError) -> str:
    text = str(failure.orig)
    if isinstance(failure.orig, sqlite3.OperationalError) and "full" in text:
        return "the disk is full: nothing was stored"
    return f"the database does not answer: {text}"
