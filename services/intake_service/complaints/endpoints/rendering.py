"""Complaints as they are answered: masked unless revealed."""

from __future__ import annotations

from services.intake_service.complaints.schemas.answer import (
    AdditionOut,
    ClassificationOut,
    ComplaintOut,
    CustomerOut,
    Links,
    PlaceOut,
    ProgressOut,
    ReasonOut,
    ReceivedOut,
    ReferencesOut,
    SourceOut,
)
from services.intake_service.complaints.service.reading import OpenAddition, OpenComplaint
from services.intake_service.customers.domain.masking import (
    mask_email,
    mask_name,
    mask_phone,
    mask_reference,
)


def received_out(complaint: OpenComplaint, links: Links) -> ReceivedOut:
    """Return a complaint as it was answered when it was recorded."""
    stored = complaint.stored
    return ReceivedOut(
        id=stored.id,
        number=stored.number,
        status=stored.status,
        received_at=stored.received_at,
        classification=_classification(complaint),
        tracking_url=_tracking_url(complaint, links),
        repeat_of=stored.repeat_of,
    )


def complaint_out(complaint: OpenComplaint, links: Links, *, reveal: bool) -> ComplaintOut:
    """Return everything that is known of a complaint; contact details in full if `reveal`."""
    stored, words = complaint.stored, complaint.words
    source = None
    if stored.source_system is not None and stored.source_id is not None:
        source = SourceOut(system=stored.source_system, id=stored.source_id)
    return ComplaintOut(
        **received_out(complaint, links).model_dump(),
        channel=stored.channel,
        source=source,
        occurred_at=stored.occurred_at,
        customer=_customer(complaint, reveal=reveal),
        description=words.description if words else None,
        references=ReferencesOut(
            order=words.references.order if words else None,
            contract=words.references.contract if words else None,
            product=stored.product,
        ),
        place=PlaceOut(
            region=stored.region,
            latitude=words.place.latitude if words else None,
            longitude=words.place.longitude if words else None,
        ),
        people=words.people if words else (),
        demands=tuple(stored.demands),
        imported=stored.imported,
        additions=tuple(addition_out(addition) for addition in complaint.additions),
        progress=_progress(complaint),
    )


def addition_out(addition: OpenAddition) -> AdditionOut:
    """Return one addition."""
    stored = addition.stored
    return AdditionOut.model_validate(
        {
            "id": stored.id,
            "kind": stored.kind,
            "by": stored.by,
            "fields": tuple(stored.fields),
            "text": addition.text,
            "created_at": stored.created_at,
        }
    )


def _classification(complaint: OpenComplaint) -> ClassificationOut:
    stored = complaint.stored
    reasons = complaint.words.reasons if complaint.words else ()
    return ClassificationOut(
        category=stored.category,
        decided_by=stored.decided_by,
        suggested_category=stored.suggested_category,
        severity=stored.severity,
        urgency=stored.urgency,
        priority=stored.priority,
        motive=stored.motive,
        language=stored.language,
        reasons=tuple(
            ReasonOut(rule=reason.rule, evidence=reason.evidence, effect=reason.effect)
            for reason in reasons
        ),
    )


def _customer(complaint: OpenComplaint, *, reveal: bool) -> CustomerOut:
    stored, contact = complaint.stored, complaint.contact
    return CustomerOut(
        id=stored.customer_id,
        name=contact.name if reveal else mask_name(contact.name),
        phone=contact.phone if reveal else mask_phone(contact.phone),
        email=contact.email if reveal else mask_email(contact.email),
        crm_id=contact.crm_id if reveal else mask_reference(contact.crm_id),
        tier=stored.tier,
        locale=stored.locale,
        anonymous=contact.anonymous,
    )


def _progress(complaint: OpenComplaint) -> ProgressOut | None:
    stored = complaint.stored
    if stored.progress_at is None:
        return None
    return ProgressOut(
        state=stored.status,
        next_step=stored.next_step,
        next_due_at=stored.next_due_at,
        updated_at=stored.progress_at,
    )


def _tracking_url(complaint: OpenComplaint, links: Links) -> str | None:
    return links.tracking(complaint.words.token) if complaint.words else None
