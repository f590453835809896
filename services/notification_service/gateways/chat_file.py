"""Read which rooms a team has; whatever is wrong stops the start, and no address is ever told."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from services.notification_service.gateways.chat import knows
from services.notification_service.gateways.domain.rooms import Room, Rooms
from services.notification_service.settings import NotificationSettings
from shared.kernel.errors import ConfigurationError, InvalidInput
from shared.kernel.yaml_documents import read_yaml

_URL, _FILE = "REDRESS_CHAT_URL", "REDRESS_CHAT_FILE"
TEAM = "team"
"""The room of the one address that is set without a file."""


def open_rooms(settings: NotificationSettings, kinds: Collection[str]) -> Mapping[str, Room]:
    """Return the rooms by name; raises ConfigurationError naming setting, line and room."""
    rooms: dict[str, Room] = {}
    if settings.chat_file is not None:
        rooms |= _read(settings.chat_file, kinds).rooms
    for name, room in rooms.items():
        _check(_FILE, room, f"room {name}")
    if settings.chat_url is not None:
        if TEAM in rooms:
            raise ConfigurationError(_URL, f"is the room {TEAM}, which the file names too")
        rooms[TEAM] = Room(url=settings.chat_url)
        _check(_URL, rooms[TEAM], "it")
    return rooms


def _read(path: Path, kinds: Collection[str]) -> Rooms:
    try:
        text = path.read_text(encoding="utf-8")
        return read_yaml(text, Rooms, name=str(path), context={"kinds": frozenset(kinds)})
    except OSError as failure:
        raise ConfigurationError(_FILE, f"{path}: {failure.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(_FILE, f"{path} is not UTF-8") from None
    except InvalidInput as wrong:
        raise ConfigurationError(_FILE, wrong.detail) from None


def _check(setting: str, room: Room, what: str) -> None:
    try:
        known = knows(room.url.get_secret_value())
    except ValueError:
        known = False
    if not known:
        raise ConfigurationError(
            setting, f"{what} has an address that neither we nor Apprise can read"
        )
