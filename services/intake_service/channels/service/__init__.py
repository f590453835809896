"""Use cases of importing.

`imports` begins, ends and shows them; `reading` takes one file in; `preparing` turns its rows into
what is written, at first in this process and for a large file in one beside it (`beside`).
"""

from services.intake_service.channels.service.imports import OWN_MAPPINGS, ImportRequest, Imports
from services.intake_service.channels.service.reading import Form, ImportTools

__all__ = ["OWN_MAPPINGS", "Form", "ImportRequest", "ImportTools", "Imports"]
