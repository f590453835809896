"""Where the organisation is read from."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from services.workflow_service.organisation.domain.people import Organisation
from shared.kernel.errors import ConfigurationError
from shared.kernel.yaml_documents import InvalidDocument, read_yaml

SETTING = "REDRESS_ORGANISATION_FILE"


def read_organisation(path: Path | None) -> Organisation:
    """Read the organisation file, or the sample that comes along.

    Raises ConfigurationError naming file, line and reason.
    """
    try:
        if path is None:
            inside = files("services.workflow_service.organisation") / "organisation.yaml"
            document, name = inside.read_text(encoding="utf-8"), "organisation.yaml"
        else:
            document, name = path.read_text(encoding="utf-8"), path.name
        return read_yaml(document, Organisation, name=name)
    except (OSError, UnicodeDecodeError) as failure:
        raise ConfigurationError(SETTING, f"{path} cannot be read: {failure}") from None
    except InvalidDocument as wrong:
        raise ConfigurationError(SETTING, wrong.detail) from None
