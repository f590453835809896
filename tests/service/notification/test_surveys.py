"""Surveys: asked by message, answered once by page or HTTP, on both databases."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

import services.notification_service.surveys
from services.notification_service.handlers import SUBSCRIPTIONS, Listener
from services.notification_service.surveys.endpoints import machines, page
from services.notification_service.surveys.models import surveys
from services.notification_service.surveys.service import SurveyBook
from shared.bus.headers import unpack
from shared.bus.memory import MemoryLog
from shared.bus.port import LoggedRecord
from shared.events.base import EventData
from shared.events.cases import CallBackDue, FollowUpDue, SatisfactionRecorded
from shared.events.complaints import ComplaintReceived
from shared.events.envelope import Envelope
from shared.events.registry import decode
from shared.events.surveys import SurveyAnswered
from shared.http.access import Role
from shared.http.app import create_app
from shared.http.health import Health
from shared.http.keys import KeyStore
from shared.kernel.ids import new_id
from shared.kernel.settings import CommonSettings
from shared.messaging import Incoming, outbox
from shared.service import Platform
from shared.web.pages import Pages
from tests.service.notification.conftest import START, Notification, received
from tests.service.notification.telling import choose

ROOM = Path(services.notification_service.surveys.__file__).parent
VALID = timedelta(days=14)


@dataclass
class Asking:
    """Notification with its surveys, driven by hand."""

    notification: Notification
    listener: Listener
    http: httpx.AsyncClient
    internal: httpx.AsyncClient
    keys: KeyStore

    async def ask(self, *, case_round: int = 1, **changes: object) -> tuple[ComplaintReceived, str]:
        """Have a customer asked; returns the complaint and the survey's token."""
        complaint = received(**changes)
        self.notification.knows(complaint, email="wang@example.com", phone="13800138000")
        await self.notification.hear(complaint)
        await self.hear(follow_up(complaint, case_round))
        return complaint, self.notification.links.token(complaint.complaint_id, case_round)

    async def hear(self, event: EventData) -> None:
        """Hand an event to its handler, as the dispatcher does."""
        handler = SUBSCRIPTIONS.handlers[type(event)]
        async with self.notification.messaging.unit_of_work() as work:
            await handler(self.listener, work, [incoming(event)])

    async def said(self) -> list[SurveyAnswered]:
        """What was said of answers, oldest first."""
        statement = select(outbox.c.headers, outbox.c.value).order_by(outbox.c.id)
        async with self.notification.database.read() as connection:
            rows = (await connection.execute(statement)).all()
        found = [decode(Envelope.from_headers(unpack(row[0])), bytes(row[1])) for row in rows]
        return [event for event in found if isinstance(event, SurveyAnswered)]

    async def page(self, token: str, **query: str) -> httpx.Response:
        """Open the page as a browser does."""
        return await self.http.get(
            f"/survey/{token}", params=query, headers={"Accept": "text/html"}
        )

    async def send(self, token: str, **form: str) -> httpx.Response:
        """Send the page's form."""
        return await self.http.post(f"/survey/{token}", data=form, headers={"Accept": "text/html"})


def follow_up(complaint: ComplaintReceived, case_round: int = 1) -> FollowUpDue:
    return FollowUpDue(
        complaint_id=complaint.complaint_id, number=complaint.number, state="resolved",
        version=5, owner="li.na", due_at=START + timedelta(days=1), round=case_round,
    )  # fmt: skip


def incoming(event: EventData) -> Incoming[EventData]:
    envelope = Envelope(
        id=new_id(), source=event.source.value, type=type(event).__name__, version=1,
        time=START, subject=event.subject, sequence=1,
    )  # fmt: skip
    record = LoggedRecord(event.topic, 0, 0, 0, event.subject, b"", ())
    return Incoming(envelope, event, record)


@pytest.fixture
async def asking(notification: Notification, tmp_path: Path) -> AsyncIterator[Asking]:
    n = notification
    book = SurveyBook(n.messaging, vault=n.vault, links=n.links, valid=VALID)
    settings = CommonSettings(home=tmp_path)
    keys = KeyStore(settings.keys_path)
    platform = Platform(
        profile="embedded", settings=settings, home=tmp_path, clock=n.clock, bus=MemoryLog(),
        keys=keys, replica="notification-1",
    )  # fmt: skip
    pages = Pages(settings, clock=n.clock, templates=[ROOM / "pages"], locales=[ROOM / "locale"])
    directory = n.directory
    app = create_app(
        platform,
        name="notification",
        title="Surveys",
        routers=[
            machines.router(book),
            machines.internal_router(book),
            page.router(book, pages, directory),
        ],
        health=Health(database=n.database, bus=platform.bus, failing=dict),
    )
    transport = httpx.ASGITransport(app=app)
    bearer = {"Authorization": f"Bearer {keys.service_credential}"}
    base = "http://127.0.0.1:8000"
    async with (
        httpx.AsyncClient(transport=transport, base_url=base) as http,
        httpx.AsyncClient(transport=transport, base_url=base, headers=bearer) as internal,
    ):
        yield Asking(n, Listener(n.planner, book), http, internal, keys)


async def test_the_message_carries_a_link_for_each_score(asking: Asking) -> None:
    _, token = await asking.ask()

    await asking.notification.deliver()

    (file,) = asking.notification.files()
    text = file.read_text(encoding="utf-8")
    linked = re.findall(r"/survey/([\w-]+)\?score=(\d)", text)
    assert {score for found, score in linked if found == token} == {"1", "2", "3", "4", "5"}


async def test_by_sms_there_is_one_link(asking: Asking) -> None:
    complaint, token = await asking.ask()
    asking.notification.neighbours.contacts[complaint.complaint_id]["email"] = None

    await asking.notification.deliver()

    (file,) = asking.notification.files()
    assert f"/survey/{token}" in file.read_text(encoding="utf-8")
    assert "score=" not in file.read_text(encoding="utf-8")


async def test_following_a_link_of_the_message_records_nothing(asking: Asking) -> None:
    _, token = await asking.ask()

    answer = await asking.page(token, score="5")

    assert answer.status_code == 200
    assert re.search(r'value="5" required checked', answer.text)
    assert await asking.said() == []
    assert answer.headers["X-Robots-Tag"].startswith("noindex")


async def test_an_answer_is_recorded_and_shown(asking: Asking) -> None:
    complaint, token = await asking.ask()

    sent = await asking.send(token, score="4", text="补发很快，\r\n谢谢")
    shown = await asking.page(token)

    assert (sent.status_code, sent.headers["location"]) == (303, f"/survey/{token}")
    assert "您的评价已记录" in shown.text
    assert "补发很快" in shown.text
    (said,) = await asking.said()
    assert (said.complaint_id, said.score, said.round) == (complaint.complaint_id, 4, 1)
    assert said.wants_call is False


async def test_the_page_speaks_the_customers_language_until_they_choose(asking: Asking) -> None:
    _, chinese = await asking.ask()
    _, english = await asking.ask(language="en")
    browser = {"Accept-Language": "en-US", "Accept": "text/html"}

    first = await asking.http.get(f"/survey/{chinese}", headers=browser)
    second = await asking.http.get(f"/survey/{english}", headers={"Accept-Language": "zh-CN"})
    switched = await asking.page(chinese, lang="en")

    assert "您对我们的处理满意吗" in first.text
    assert "Are you satisfied with how we handled it?" in second.text
    assert "Are you satisfied with how we handled it?" in switched.text


@pytest.mark.parametrize(
    ("chosen", "ends", "clock", "clock_zh"),
    [
        (None, "7 Dec 2026, 02:00", "London time", "伦敦时间"),
        ("America/New_York", "6 Dec 2026, 21:00", "New York time", "纽约时间"),
    ],
)
async def test_times_are_told_by_the_customers_clock_as_in_their_messages(
    asking: Asking, chosen: str | None, ends: str, clock: str, clock_zh: str
) -> None:
    complaint, token = await asking.ask(region="GB-LND")
    if chosen:
        await choose(asking.notification, complaint, timezone=chosen)

    english, chinese = await asking.page(token, lang="en"), await asking.page(token, lang="zh-CN")
    asking.notification.clock.advance(VALID)
    over = await asking.page(token, lang="en")

    assert f"It can be given until {ends} ({clock})." in english.text
    assert f"Times are in {clock}." in english.text
    assert f"（{clock_zh}）前都可以填写" in chinese.text
    assert f"until {ends} ({clock})." in over.text


async def test_the_same_answer_twice_counts_once(asking: Asking) -> None:
    _, token = await asking.ask()
    form = {"score": "2", "text": "还是少一件", "wants_call": "yes"}

    sent = await asyncio.gather(*(asking.send(token, **form) for _ in range(4)))

    assert [answer.status_code for answer in sent] == [303] * 4
    assert [(said.score, said.wants_call) for said in await asking.said()] == [(2, True)]


async def test_another_answer_is_refused_kindly_and_changes_nothing(asking: Asking) -> None:
    _, token = await asking.ask()
    await asking.send(token, score="5")

    again = await asking.send(token, score="1", text="我改主意了")
    machine = await asking.http.post(f"/v1/surveys/{token}", json={"score": 1})

    assert again.status_code == 409
    assert "您已经评价过了" in again.text
    assert "http://127.0.0.1:8000/track/abc" in again.text
    assert (machine.status_code, machine.json()["type"]) == (409, "/problems/survey-answered")
    assert [said.score for said in await asking.said()] == [5]


async def test_what_is_missing_is_named_and_what_was_typed_stays(asking: Asking) -> None:
    _, token = await asking.ask()

    missing = await asking.send(token, text="等了三天", wants_call="yes")
    foreign = await asking.send(token, score="6")
    long = await asking.send(token, score="3", text="长" * 4001)

    assert [answer.status_code for answer in (missing, foreign, long)] == [422] * 3
    assert "请在五项中选一项" in missing.text
    assert "等了三天" in missing.text
    assert 'name="wants_call" value="yes" checked' in missing.text
    assert "请在五项中选一项" in foreign.text
    assert "4000 字" in long.text
    assert 'value="3" required checked' in long.text
    assert await asking.said() == []


async def test_a_survey_that_has_expired_says_where_to_go_on(asking: Asking) -> None:
    _, token = await asking.ask()
    asking.notification.clock.advance(VALID)

    shown = await asking.page(token)
    late = await asking.send(token, score="1")
    machine = await asking.http.post(f"/v1/surveys/{token}", json={"score": 1})

    assert (shown.status_code, late.status_code) == (410, 410)
    assert "过了填写时间" in shown.text
    assert "http://127.0.0.1:8000/track/abc" in shown.text
    assert (machine.status_code, machine.json()["type"]) == (409, "/problems/survey-expired")
    assert await asking.said() == []


async def test_the_page_does_without_the_tracking_link_while_intake_is_away(
    asking: Asking,
) -> None:
    _, token = await asking.ask()
    asking.notification.clock.advance(VALID)
    asking.notification.neighbours.down = True

    shown = await asking.page(token)

    assert shown.status_code == 410
    assert "/track/" not in shown.text


@pytest.mark.parametrize("wrong", ["x", "A" * 22, "%E9%93%BE", "Vd0xk3oWmQxXb1sLq9Tz4"])
async def test_a_wrong_link_leads_to_no_survey(asking: Asking, wrong: str) -> None:
    await asking.ask()

    answers = [
        await asking.http.get(f"/survey/{wrong}"),
        await asking.http.post(f"/survey/{wrong}", data={"score": "5"}),
        await asking.http.get(f"/v1/surveys/{wrong}"),
        await asking.http.post(f"/v1/surveys/{wrong}", json={"score": 5}),
    ]

    assert [answer.status_code for answer in answers] == [404] * 4
    assert answers[2].json()["type"] == "/problems/unknown-survey"


async def test_every_round_has_a_survey_of_its_own(asking: Asking) -> None:
    complaint, first = await asking.ask()
    await asking.hear(follow_up(complaint, 2))
    second = asking.notification.links.token(complaint.complaint_id, 2)

    await asking.send(first, score="1")
    await asking.send(second, score="5")

    assert [(said.round, said.score) for said in await asking.said()] == [(1, 1), (2, 5)]


async def test_a_survey_heard_of_again_keeps_its_answer(asking: Asking) -> None:
    complaint, token = await asking.ask()
    await asking.send(token, score="3")

    await asking.hear(follow_up(complaint))

    assert (await asking.http.get(f"/v1/surveys/{token}")).json()["score"] == 3


async def test_words_are_stored_encrypted_and_told_to_services_only(asking: Asking) -> None:
    complaint, token = await asking.ask()
    await asking.http.post(f"/v1/surveys/{token}", json={"score": 1, "text": "少的两件没有补"})
    agent = {"Authorization": f"Bearer {asking.keys.create(role=Role.AGENT, name='agent')}"}
    body = {"complaint_ids": [complaint.complaint_id]}

    told = await asking.internal.post("/v1/internal/notification/survey-answers", json=body)
    refused = await asking.http.post(
        "/v1/internal/notification/survey-answers", json=body, headers=agent
    )
    listed = await asking.http.get(
        "/v1/surveys", params={"complaint_id": complaint.complaint_id}, headers=agent
    )

    async with asking.notification.database.read() as connection:
        (stored,) = (await connection.execute(select(surveys.c.words))).scalars().all()
    assert stored is not None
    assert "少的两件".encode() not in bytes(stored)
    assert [(one["score"], one["text"]) for one in told.json()["items"]] == [(1, "少的两件没有补")]
    assert refused.status_code == 403
    (item,) = listed.json()["items"]
    assert (item["score"], item["has_words"], "text" in item) == (1, True, False)
    assert token not in listed.text


async def test_the_list_is_not_for_everybody(asking: Asking) -> None:
    analyst = {"Authorization": f"Bearer {asking.keys.create(role=Role.ANALYST, name='x')}"}

    answer = await asking.http.get("/v1/surveys", headers=analyst)

    assert answer.status_code == 403


async def test_the_owner_hears_of_the_score_and_of_a_call_that_is_due(asking: Asking) -> None:
    complaint, _ = await asking.ask()
    asking.notification.neighbours.people = [
        {"id": "li.na", "name": "李娜", "email": "li.na@example.com"}
    ]
    case = {
        "complaint_id": complaint.complaint_id, "number": complaint.number,
        "state": "resolved", "version": 6, "owner": "li.na",
    }  # fmt: skip
    await asking.hear(SatisfactionRecorded.model_validate({**case, "score": 2, "source": "survey"}))
    await asking.hear(SatisfactionRecorded.model_validate({**case, "score": 5, "source": "call"}))
    await asking.hear(
        CallBackDue.model_validate({**case, "call_back": "c-1", "reason": "unanswered"})
    )

    await asking.notification.deliver()

    told = "".join(file.read_text(encoding="utf-8") for file in asking.notification.files())
    assert "打了 2 分" in told
    assert "打了 5 分" not in told
    assert f"/cases/{complaint.number}" in told
    assert "/callbacks/c-1" in told
