"""What a wording may be written in: the few words of the template language, and its variables.

A list of what is allowed, because what is not thought of must be refused: a wording that loops for
an hour, or grows without end, would hold up every other message.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from services.notification_service.templates.domain.scene import Scene

BLOCKS: Final = ("sms", "subject", "email")
LONGEST_SOURCE: Final = 20_000
MOST_NODES: Final = 1_500
DEEPEST: Final = 30
LONGEST_SHORT: Final = 2_000
"""The most characters that `short` may be asked for."""

FUNCTIONS: Final = frozenset({"at", "price"})
FILTERS: Final = frozenset({"short", "clause", "sentence", "length", "upper", "lower", "trim"})
LOOPED_OVER: Final = frozenset({"options"})
ATTRIBUTES: Final = frozenset({"key", "text", "amount", "answer_url"})
LOOP_ATTRIBUTES: Final = frozenset({"index", "first", "last", "length"})
_NOT_SAID: Final = frozenset({"timezone", "names_zone", "instead_of"})
VARIABLES: Final = frozenset(
    {
        *(name for name in Scene.model_fields if name not in _NOT_SAID),
        "company",
        "promise",
        "standing",
        "clock_name",
        "cause_name",
        "next_step_name",
        "times",
    }
)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a wording: a stable code and words, with the line where there is one.

    `message` has `%(name)s` for what differs, so that it can be said in another language too.
    """

    code: str
    message: str
    line: int | None = None
    values: tuple[tuple[str, str], ...] = ()

    @property
    def detail(self) -> str:
        """What is wrong, in English."""
        return self.message % dict(self.values)


def fault(code: str, message: str, line: int | None = None, **values: object) -> Fault:
    """Return a fault whose message speaks of some values."""
    return Fault(code, message, line, tuple((name, str(value)) for name, value in values.items()))


def is_for_staff(kind: str) -> bool:
    """Tell whether messages of a kind go to staff."""
    return kind.startswith(("staff_", "operator_"))
