"""Whom a caller names, by the organisation: a case that nobody hears of is handled by nobody."""

from __future__ import annotations

from services.workflow_service.organisation.domain.people import Organisation
from shared.kernel.errors import FieldError, invalid_input, suggestion


def check_listed(
    organisation: Organisation, *, owner: str | None = None, department: str | None = None
) -> None:
    """Raise InvalidInput for a person or a department that is newly named and not listed.

    Only what is named now is asked for: a case whose owner has left the file since goes on. A file
    without people knows nobody who could be missing, and one with `others_may_own` lets others in;
    departments it names in every case.
    """
    faults = []
    closed = organisation.people and not organisation.others_may_own
    if owner is not None and closed and organisation.person(owner) is None:
        near = suggestion(owner, (one.id for one in organisation.people))
        detail = f'There is nobody called "{owner}" in the organisation{near or "."}'
        faults.append(FieldError("/owner", "unknown_person", detail))
    if department is not None and department not in organisation.departments:
        near = suggestion(department, organisation.departments)
        detail = f'There is no department "{department}" in the organisation{near or "."}'
        faults.append(FieldError("/department", "unknown_department", detail))
    if faults:
        raise invalid_input(faults)
