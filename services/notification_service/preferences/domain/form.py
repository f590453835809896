"""The form on a customer's own page: what it says, on top of what was chosen before."""

from __future__ import annotations

from collections.abc import Mapping

from services.notification_service.preferences.domain.choices import ChannelConsent, Preferences

FIELDS = ("channel", "locale", "timezone", "quiet", "from", "to", "survey")


def read_form(fields: Mapping[str, str], present: Preferences) -> Preferences:
    """Return the preferences that a form asks for; raises pydantic.ValidationError.

    A box that refuses is a refusal, and taken out again it is as if never said: consent comes only
    from a plain yes. A question that is left alone changes nothing.
    """
    chosen = present.model_dump(by_alias=True)
    for name in ("channel", "locale", "timezone"):
        chosen[name] = fields.get(name) or None
    chosen["quiet_hours"] = _quiet_hours(fields, present)
    chosen["consent"] = {
        "service": _service(fields, present.consent.service),
        "survey": _survey(fields.get("survey", ""), present.consent.survey),
    }
    chosen["do_not_contact"] = "only_owed" in fields
    return Preferences.model_validate(chosen)


def form_of(present: Preferences) -> dict[str, str]:
    """Return the form's values for preferences as they are."""
    service, survey = present.consent.service, present.consent.survey
    hours = present.quiet_hours
    is_none = hours is not None and hours.begin == hours.end
    answers = {(True, True): "yes", (False, False): "no"}
    values = {
        "channel": present.channel or "",
        "locale": present.locale or "",
        "timezone": present.timezone or "",
        "quiet": "none" if is_none else "own" if hours else "company",
        "from": hours.begin.strftime("%H:%M") if hours and not is_none else "22:00",
        "to": hours.end.strftime("%H:%M") if hours and not is_none else "08:00",
        "survey": answers.get((bool(survey.sms), bool(survey.email)), "")
        if survey.sms is not None and survey.email is not None
        else "",
    }
    boxes = {
        "no_sms": service.sms is False,
        "no_email": service.email is False,
        "only_owed": present.do_not_contact,
    }
    return values | {name: "on" for name, is_ticked in boxes.items() if is_ticked}


def _quiet_hours(fields: Mapping[str, str], present: Preferences) -> object:
    match fields.get("quiet"):
        case "own":
            return {"from": fields.get("from", ""), "to": fields.get("to", "")}
        case "none":
            return {"from": "00:00", "to": "00:00"}
        case "company":
            return None
        case _:
            return present.quiet_hours


def _service(fields: Mapping[str, str], present: ChannelConsent) -> ChannelConsent:
    def said(box: str, *, before: bool | None) -> bool | None:
        return False if box in fields else before or None

    return ChannelConsent(
        sms=said("no_sms", before=present.sms), email=said("no_email", before=present.email)
    )


def _survey(answer: str, present: ChannelConsent) -> ChannelConsent:
    if answer not in {"yes", "no"}:
        return present
    return ChannelConsent(sms=answer == "yes", email=answer == "yes")
