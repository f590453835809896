"""Whether this process was told to end: answers that wait for something come at once then.

A server finishes the requests under way before anything is stopped, so a request that waits for
half a minute would hold up every restart.
"""

from __future__ import annotations


class Ending:
    """A flag that a signal handler may set; whoever waits looks at it now and then."""

    def __init__(self) -> None:
        self.has_begun = False

    def begin(self) -> None:
        """Have everybody who waits give their answer."""
        self.has_begun = True


ENDING = Ending()
"""This process's own."""
