"""The customer's page and its data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Annotated, Literal
from urllib.parse import parse_qs

from fastapi import APIRouter, Path, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import ValidationError

from services.intake_service.complaints.schemas.answer import PlaceOut, ReferencesOut
from services.intake_service.complaints.schemas.request import AdditionIn
from services.intake_service.complaints.schemas.track import (
    EarlierOut,
    MilestoneOut,
    OwnAdditionOut,
    PromiseOut,
    StepOut,
    SupervisionOut,
    TrackOut,
)
from services.intake_service.complaints.service.amending import SUPERVISION, NewAddition
from services.intake_service.complaints.service.tracking import (
    Tracked,
    Tracker,
    timeline,
)
from shared.http.invalid import from_validation
from shared.kernel.errors import NotFound
from shared.web.pages import Pages

Token = Annotated[str, Path(max_length=64, description="The last part of the tracking link")]
Label = Callable[[str, str], str]
_Kind = Literal["addition", "correction", "objection"]

# The address is the key: no search engine may keep it, no cache share it.
_PRIVATE = {"X-Robots-Tag": "noindex, nofollow", "Cache-Control": "no-store"}


@dataclass(frozen=True, slots=True)
class Refused:
    """What a customer typed into a form and why it cannot be taken."""

    kind: str
    text: str
    why: str
    """The stable code of what is wrong; the page has its own words for it."""


def router(tracker: Tracker, pages: Pages, *, label: Label) -> APIRouter:
    """Make the routes; `label` writes a category in a language."""
    made = APIRouter(tags=["tracking"])

    async def page(request: Request, token: str, refused: Refused | None = None) -> HTMLResponse:
        found = await tracker.show(token)
        return pages.render(
            request,
            "track.html",
            status=422 if refused else 200,
            headers=_PRIVATE,
            zone=found.zone,
            token=token,
            track=track_out(found, label, pages.language(request).tag),
            typed={refused.kind: refused.text} if refused else {},
            errors={refused.kind: refused.why} if refused else {},
            saved=refused is None and "saved" in request.query_params,
            asked=refused is None and "asked" in request.query_params,
        )

    @made.get("/v1/track/{token}")
    async def track_data(token: Token, response: Response, lang: str = "zh-CN") -> TrackOut:
        """Return what the customer's page shows; `lang` chooses the category's words."""
        response.headers.update(_PRIVATE)
        tag = "en" if lang.startswith("en") else "zh-CN"
        return track_out(await tracker.show(token), label, tag)

    @made.get("/track/{token}", response_class=HTMLResponse, include_in_schema=False)
    async def track_page(request: Request, token: Token) -> HTMLResponse:
        """Show the customer's page."""
        return await page(request, token)

    @made.post("/track/{token}", response_class=HTMLResponse, include_in_schema=False)
    async def add_from_page(request: Request, token: Token) -> Response:
        """Take what the customer adds or puts right, then show the page anew."""
        kind, text = _form(await request.body())
        try:
            said = AdditionIn(text=text, by="customer", kind=kind)
        except ValidationError as wrong:
            why = from_validation(wrong, model=AdditionIn).errors[0].code
            return await page(request, token, Refused(kind, text, why))
        await tracker.add(token, NewAddition(said.text, "customer", said.kind))
        return RedirectResponse(f"/track/{token}?saved=1#saved", 303, headers=_PRIVATE)

    @made.post(
        "/v1/track/{token}/supervision",
        status_code=201,
        responses={200: {"model": SupervisionOut, "description": "Asked for before; nothing new"}},
    )
    async def ask_for_supervisor(token: Token, response: Response) -> SupervisionOut:
        """Pass the complaint on to the supervisors, as its customer wishes; once is enough."""
        asked_at, now = await tracker.ask_supervisor(token)
        response.headers.update(_PRIVATE)
        response.status_code = 201 if now else 200
        return SupervisionOut(asked_at=asked_at)

    @made.post("/track/{token}/supervision", response_class=HTMLResponse, include_in_schema=False)
    async def ask_from_page(token: Token) -> Response:
        """Pass the complaint on to the supervisors, then show the page anew."""
        await tracker.ask_supervisor(token)
        return RedirectResponse(f"/track/{token}?asked=1#supervision", 303, headers=_PRIVATE)

    @made.get("/track/{token}/proposal", include_in_schema=False)
    async def to_proposal(token: Token) -> Response:
        """Lead to where the proposal is answered; back where there is none any more."""
        found = await tracker.look(token)
        try:
            url = await tracker.answer_url(found)
        except NotFound:
            url = f"/track/{token}"
        return RedirectResponse(url, 303, headers=_PRIVATE)

    return made


def track_out(tracked: Tracked, label: Label, lang: str) -> TrackOut:
    """Return what a customer sees."""
    complaint, earlier, told = tracked.complaint, tracked.merged_into, tracked.told
    stored, words = complaint.stored, complaint.words
    assert words is not None, "the tracker shows no erased complaint"
    own = [added for added in complaint.additions if added.stored.by == "customer"]
    asked = (added.stored.created_at for added in own if added.stored.kind == SUPERVISION)
    return TrackOut(
        number=stored.number,
        status=stored.status,
        received_at=stored.received_at,
        next_step=stored.next_step,
        next_due_at=stored.next_due_at,
        timeline=tuple(MilestoneOut(kind=m.kind, at=m.at) for m in timeline(complaint)),
        channel=stored.channel,
        category=stored.category,
        category_label=label(stored.category, lang),
        description=words.description,
        occurred_at=stored.occurred_at,
        references=ReferencesOut(
            order=words.references.order,
            contract=words.references.contract,
            product=words.references.product,
        ),
        place=PlaceOut(
            region=stored.region, latitude=words.place.latitude, longitude=words.place.longitude
        ),
        people=words.people,
        demands=tuple(stored.demands),
        additions=tuple(
            OwnAdditionOut(
                kind=added.stored.kind, text=added.text, created_at=added.stored.created_at
            )
            for added in own
            if added.stored.kind != SUPERVISION
        ),
        supervision_asked_at=next(asked, None),
        question=told.question,
        rejection_reason=told.rejection,
        promises=tuple(PromiseOut.model_validate(one.model_dump()) for one in told.promises),
        steps=tuple(StepOut.model_validate(one.model_dump()) for one in told.steps[::-1]),
        merged_into=EarlierOut.model_validate(asdict(earlier)) if earlier else None,
        timezone=tracked.zone.key if tracked.zone else None,
    )


def _form(body: bytes) -> tuple[_Kind, str]:
    """Read which form was sent, and its text; a browser sends line ends as CR LF."""
    fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
    kind: _Kind = "addition"
    if "correction" in fields:
        kind = "correction"
    elif "objection" in fields:
        kind = "objection"
    return kind, fields.get(kind, [""])[-1].replace("\r\n", "\n")
