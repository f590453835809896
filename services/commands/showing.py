"""Tables and documents on the terminal.

`rich` is loaded only here and when something is shown: a product that runs shows nothing, and
would carry its six megabytes for nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def show_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table."""
    from rich.console import Console
    from rich.table import Table

    table = Table(*columns)
    for row in rows:
        table.add_row(*row)
    Console().print(table)


def show_document(document: object) -> None:
    """Print a JSON document."""
    from rich.console import Console

    Console().print_json(data=document)
