"""What `/v1/templates` takes and answers."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from services.notification_service.templates.domain.language import LONGEST_SOURCE, Fault
from services.notification_service.templates.domain.scene import Locale, Rendered
from services.notification_service.templates.domain.sms import measure
from services.notification_service.templates.domain.trials import Preview
from services.notification_service.templates.domain.versions import VersionState
from services.notification_service.templates.repository import Stored, Template, Trial
from shared.events.words import Audience, MessageChannel, PersonalChannel

_EXAMPLE = (
    "{% block sms %}【{{ company }}】您的投诉 {{ number }} 已结案。{% endblock %}\n"
    "{% block subject %}您的投诉已结案（编号 {{ number }}）{% endblock %}\n"
    '{% block email %}\n{{ name or "您" }}好：\n\n您的投诉 {{ number }} 已结案，谢谢您。\n'
    "{% endblock %}\n"
)

AnyVersion = Annotated[int, Field(ge=1, le=1_000_000)] | Literal["built-in"]


_SOURCE = "{% block sms %}Redress: we have your complaint {{ number }}.{% endblock %}"
_SMS: JsonDict = {
    "text": "Redress: we have your complaint 7K3F-9Q2M-X.",
    "encoding": "GSM-7",
    "characters": 44,
    "units": 44,
    "segments": 1,
}
_EMAIL: JsonDict = {
    "subject": "Your complaint 7K3F-9Q2M-X",
    "text": "We have your complaint 7K3F-9Q2M-X.",
    "html": "<p>We have your complaint 7K3F-9Q2M-X.</p>",
}
_VERSION: JsonDict = {
    "version": 3,
    "state": "active",
    "source": _SOURCE,
    "author": "k_1f2e3d4c",
    "created_at": "2026-11-21T09:00:00Z",
    "changed_at": "2026-11-22T08:00:00Z",
    "changed_by": "k_1f2e3d4c",
}
_TEMPLATE: JsonDict = {
    "kind": "acknowledgement",
    "locale": "en",
    "audience": "customer",
    "active": 3,
    "latest": 3,
    "differs_from_built_in": True,
    "built_in_changed": False,
    "sms": _SMS,
}


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class DraftBody(_Body):
    """A wording: the blocks sms, subject and email."""

    source: str = Field(min_length=1, max_length=LONGEST_SOURCE, examples=[_EXAMPLE])


class ActivateBody(_Body):
    """Which version is to speak."""

    version: AnyVersion = Field(examples=[3], description='a number, or "built-in"')


class SceneBody(_Body):
    """Which version in which scene; without any, the newest one where everything is known."""

    version: AnyVersion | None = Field(default=None, examples=[3])
    complaint_id: str | None = Field(
        default=None,
        max_length=36,
        description="a real complaint (scope pii:read); what no message has said yet is filled in",
    )
    sample: str | None = Field(default=None, max_length=60, examples=["without name"])


class PreviewBody(SceneBody):
    """What to look at: a version, or a source that is not stored yet."""

    source: str | None = Field(default=None, min_length=1, max_length=LONGEST_SOURCE)


class TestSendBody(SceneBody):
    """Where a trial message goes."""

    channel: PersonalChannel
    address: str = Field(max_length=254, examples=["you@example.com"])


class SmsView(BaseModel):
    """An SMS and what it costs."""

    text: str
    encoding: Literal["GSM-7", "UCS-2"]
    characters: int
    units: int = Field(description="septets (GSM-7) or 16-bit units (UCS-2)")
    segments: int = Field(description="how many messages are paid for")

    @classmethod
    def of(cls, text: str) -> Self:
        """Measure a text."""
        length = measure(text)
        return cls(
            text=text,
            encoding=length.encoding,
            characters=length.characters,
            units=length.units,
            segments=length.segments,
        )


class EmailView(BaseModel):
    """An e-mail in both forms."""

    subject: str
    text: str
    html: str

    @classmethod
    def of(cls, message: Rendered) -> Self:
        """Show an e-mail."""
        return cls(subject=message.subject or "", text=message.text, html=message.html or "")


class FaultView(BaseModel):
    """One thing that keeps a wording from speaking."""

    line: int | None
    code: str
    detail: str

    @classmethod
    def of(cls, fault: Fault) -> Self:
        """Show a fault."""
        return cls(line=fault.line, code=fault.code, detail=fault.detail)


class PreviewView(BaseModel):
    """A wording in one scene; with `faults` it cannot be activated."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"scene": "full", "sms": _SMS, "email": _EMAIL, "faults": []}}
    )

    scene: str
    sms: SmsView
    email: EmailView
    faults: list[FaultView]

    @classmethod
    def of(cls, preview: Preview) -> Self:
        """Show a preview."""
        return cls(
            scene=preview.scene,
            sms=SmsView.of(preview.sms.text),
            email=EmailView.of(preview.email),
            faults=[FaultView.of(fault) for fault in preview.faults],
        )


class VersionView(BaseModel):
    """One version of a wording."""

    model_config = ConfigDict(json_schema_extra={"example": _VERSION})

    version: AnyVersion
    state: VersionState
    source: str
    author: str | None = Field(description="null: it comes with the project")
    created_at: AwareDatetime | None
    changed_at: AwareDatetime | None = Field(description="when it was activated or retired")
    changed_by: str | None

    @classmethod
    def of(cls, stored: Stored) -> Self:
        """Show a company's version."""
        return cls.model_validate(stored._asdict(), extra="ignore")

    @classmethod
    def built_in(cls, template: Template) -> Self:
        """Show the wording that comes with the project."""
        return cls(
            version="built-in",
            state=VersionState.RETIRED if template.active else VersionState.ACTIVE,
            source=template.built_in,
            author=None,
            created_at=None,
            changed_at=None,
            changed_by=None,
        )


class VersionList(BaseModel):
    """Every version, the newest first, that of the project last."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"items": [_VERSION], "next_cursor": None}}
    )

    items: list[VersionView]
    next_cursor: str | None = None


class TemplateView(BaseModel):
    """One wording: which version speaks, and how long its SMS is where everything is known."""

    model_config = ConfigDict(json_schema_extra={"example": _TEMPLATE})

    kind: str
    locale: Locale
    audience: Audience
    active: AnyVersion
    latest: AnyVersion
    differs_from_built_in: bool
    built_in_changed: bool = Field(
        description="a newer release words it otherwise than when the active version was written"
    )
    sms: SmsView


class TemplateDetail(TemplateView):
    """One wording with its text, and what may be used in it."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": _TEMPLATE
            | {
                "source": _SOURCE,
                "latest_source": _SOURCE,
                "built_in_source": _SOURCE,
                "blocks": ["subject", "sms", "text"],
                "variables": ["number", "name"],
                "filters": ["moment"],
                "functions": ["button"],
                "samples": ["full", "sparse"],
            }
        }
    )

    source: str = Field(description="of the active version")
    latest_source: str
    built_in_source: str
    blocks: list[str]
    variables: list[str]
    filters: list[str]
    functions: list[str]
    samples: list[str] = Field(description="scenes that it is tried in before it may speak")


class TemplateList(BaseModel):
    """Every wording."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"items": [_TEMPLATE], "next_cursor": None}}
    )

    items: list[TemplateView]
    next_cursor: str | None = None


class TrialView(BaseModel):
    """A message that was sent to try a wording; it counts as no notice."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "01930b1c-7d7f-7a80-8000-4f2d1f6f0a11",
                "kind": "acknowledgement",
                "locale": "en",
                "version": "3",
                "channel": "email",
                "address_masked": "y***@example.com",
                "by": "k_1f2e3d4c",
                "created_at": "2026-11-22T08:00:00Z",
                "state": "sent",
                "reason": None,
            }
        }
    )

    id: str
    kind: str
    locale: Locale
    version: str
    channel: MessageChannel
    address_masked: str
    by: str
    created_at: AwareDatetime
    state: Literal["sending", "sent", "failed", "unknown"]
    reason: str | None

    @classmethod
    def of(cls, trial: Trial) -> Self:
        """Show a trial."""
        return cls.model_validate(trial._asdict())
