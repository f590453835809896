"""Say what is wrong with a wording in the language of who reads it."""

from __future__ import annotations

from collections.abc import Callable

from services.notification_service.templates.domain.language import Fault

_WITHOUT = "without "
_IN_WORDS = frozenset({"reason", "what", "owed"})
"""Values of faults that are words themselves and no names, numbers or quotations."""


class FaultWords:
    """Words for faults and scenes by a catalogue whose message ids are the English texts."""

    def __init__(self, gettext: Callable[[str], str]) -> None:
        self._gettext = gettext

    def of(self, fault: Fault) -> str:
        """Return what is wrong, with its line."""
        said = self._gettext(fault.message) % {
            name: self._value(name, value) for name, value in fault.values
        }
        if fault.line is None:
            return said
        return self._gettext("line %(line)s: %(fault)s") % {"line": fault.line, "fault": said}

    def scene(self, name: str) -> str:
        """Return what a sample scene is called."""
        if name.startswith(_WITHOUT):
            missing = name.removeprefix(_WITHOUT)
            return self._gettext("without %(name)s") % {"name": missing}
        return self._gettext(name)

    def _value(self, name: str, value: str) -> str:
        if name == "scene":
            return self.scene(value)
        return self._gettext(value) if name in _IN_WORDS else value
