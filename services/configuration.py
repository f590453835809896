"""What processes read from their environment, found wrong before anything is made or changed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from importlib import import_module

from services import SERVICES
from shared.http.keys import KeyStore
from shared.http.settings import HttpSettings
from shared.kernel.errors import ConfigurationError
from shared.kernel.settings import PREFIX, CommonSettings, RedressSettings, load

_OTHERS = frozenset({"REDRESS_URL", "REDRESS_API_KEY"})
"""What commands read that talk to a running product."""

_ALIKE = 0.85
"""Of `difflib`: one letter too many, too few or wrong in a name of four, two swapped in eight."""


def settings_of(process: str) -> list[type[RedressSettings]]:
    """Return the classes of the settings that a process of `PROCESSES` reads, common ones first."""
    module = import_module(f"services.{process.partition('-')[0]}_service.settings")
    own = (value for value in vars(module).values() if isinstance(value, type))
    found = [each for each in own if issubclass(each, RedressSettings)]
    common: list[type[RedressSettings]] = [CommonSettings, HttpSettings]
    return common + [each for each in found if each not in (RedressSettings, CommonSettings)]


def names_of(settings: type[RedressSettings]) -> list[str]:
    """Return the environment variables that a class of settings reads."""
    prefix = settings.model_config["env_prefix"]
    return [f"{prefix}{field}".upper() for field in settings.model_fields]


def check_settings(processes: Sequence[str]) -> None:
    """Raise ConfigurationError for a setting that is wrong by itself, or whose name is misspelt.

    And for a file of keys that is none: nobody could be let in, and nobody ought to be. Other
    files that settings name are read when services are built; that is before databases change.
    """
    for settings in {each: None for process in processes for each in settings_of(process)}:
        load(settings)
    refuse_misspelt(os.environ)
    KeyStore(load(CommonSettings).keys_path).verify()


def refuse_misspelt(environment: Iterable[str]) -> None:
    """Raise ConfigurationError for a variable that is nearly a setting: what it says is not done.

    Others that begin as ours do are left alone: container platforms and scripts make such too.
    """
    meant = {name.removeprefix(PREFIX): name for name in _known()}
    for name in names_unknown(environment):
        near = get_close_matches(name.removeprefix(PREFIX), meant, n=1, cutoff=_ALIKE)
        if near:
            raise ConfigurationError(name, f"is no setting; {meant[near[0]]} is one")


def names_unknown(environment: Iterable[str]) -> list[str]:
    """Return the variables that begin as settings do and are none, in order."""
    names = set(environment) - _known() - _OTHERS
    return sorted(name for name in names if name.startswith(PREFIX))


def _known() -> set[str]:
    return {
        name
        for service in SERVICES
        for settings in settings_of(service)
        for name in names_of(settings)
    }
