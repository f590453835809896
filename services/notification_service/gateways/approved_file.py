"""Read the file of approved wordings; whatever is wrong in it stops the start and is named."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from services.notification_service.gateways.domain.approved import Approved
from shared.kernel.errors import ConfigurationError, InvalidInput
from shared.kernel.yaml_documents import read_yaml

SETTING = "REDRESS_SMS_TEMPLATES"


def read_approved(path: Path, *, kinds: Collection[str], numbered: bool) -> Approved:
    """Read and check the file; raises ConfigurationError with its line.

    `kinds` are the kinds that there are. `numbered`: the vendor's variables have no names but
    numbers, from 1 without a hole.
    """
    try:
        text = path.read_text(encoding="utf-8")
        context = {"kinds": frozenset(kinds), "numbered": numbered}
        return read_yaml(text, Approved, name=str(path), context=context)
    except OSError as failure:
        raise ConfigurationError(SETTING, f"{path}: {failure.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(SETTING, f"{path} is not UTF-8") from None
    except InvalidInput as wrong:
        raise ConfigurationError(SETTING, wrong.detail) from None
