"""A trace goes on through messages: from the fact to the gateway and to what is said of them."""

from __future__ import annotations

from datetime import timedelta

import orjson
from sqlalchemy import select

from services.notification_service.gateways.domain.port import Uncertain
from services.notification_service.gateways.http_sms import HttpSms
from services.notification_service.messages.models import notifications
from services.notification_service.messages.service.deciding import Decision, Operators
from shared.events import topics
from shared.events.cases import ClockBreached, InformationRequested
from shared.events.envelope import Envelope
from shared.kernel import trace
from shared.messaging import outbox
from tests.service.notification.conftest import START, Notification, opened
from tests.service.notification.gateways.badly_behaved import http_server
from tests.service.notification.running import Running, eventually, neighbours, running
from tests.service.notification.telling import PHONE, fact, known
from tests.service.notification.test_sending import Scripted, gateways
from tests.service.notification.test_standing_in import LEAD, OWNER

# Fixtures of a module, not of the folder: most tests drive the parts by hand.
__all__ = ["neighbours", "running"]


async def traces_said(notification: Notification) -> list[tuple[str, str | None]]:
    """The kind of message and the trace of every event in the outbox, oldest first."""
    chosen = select(outbox.c.headers, outbox.c.value).order_by(outbox.c.id)
    async with notification.database.read() as connection:
        rows = list(await connection.execute(chosen))
    return [
        (orjson.loads(value)["kind"], dict(orjson.loads(headers)).get("traceparent"))
        for headers, value in rows
    ]


async def test_the_trace_of_a_fact_in_the_log_goes_on_in_what_is_said(running: Running) -> None:
    cause = trace.new()
    with trace.within(cause):
        complaint_id = await running.acknowledge(phone=PHONE)

    async def is_said() -> bool:
        return ("NotificationSent", complaint_id) in await running.said()

    await eventually(is_said)

    places = await running.bus.end_positions(topics.NOTIFICATIONS)
    reader = await running.bus.reader(dict.fromkeys(places, 0))
    records = await reader.poll(max_records=100, timeout_seconds=0.1)
    await reader.close()
    assert [Envelope.from_headers(one.headers).traceparent for one in records] == [cause]


async def test_two_messages_about_a_complaint_keep_each_its_own_trace(
    notification: Notification,
) -> None:
    complaint, first, second = known(notification), trace.new(), trace.new()
    with trace.within(first):
        await notification.hear(complaint, opened(complaint))
    with trace.within(second):
        await notification.hear(fact(InformationRequested, complaint, words_id="w1"))

    await notification.deliver()

    said = await traces_said(notification)
    assert sorted(said) == [("acknowledgement", first), ("information_requested", second)]


async def test_who_is_told_in_anothers_stead_is_told_in_the_same_trace(
    notification: Notification,
) -> None:
    complaint, cause = known(notification), trace.new()
    notification.neighbours.people = [OWNER, LEAD]
    with trace.within(cause):
        await notification.hear(
            complaint,
            fact(ClockBreached, complaint, clock="resolve", due_at=START, late_seconds=5),
        )

    await notification.deliver()

    assert await traces_said(notification) == [("staff_breach", cause)] * 2


async def test_a_gateway_that_is_asked_by_http_is_told_the_trace(
    notification: Notification,
) -> None:
    complaint, cause = known(notification), trace.new()
    with trace.within(cause):
        await notification.hear(complaint, opened(complaint))

    async with http_server() as server:
        sms = HttpSms(f"{server.url}/sms", clock=notification.clock)
        notification.use(gateways(sms=sms))
        await notification.deliver()
        await sms.close()

    (request,) = server.requests
    assert request.headers["traceparent"] == cause


async def test_what_an_operator_decides_belongs_to_the_operators_own_request(
    notification: Notification,
) -> None:
    complaint, request = known(notification), trace.new()
    notification.use(gateways(sms=Scripted([Uncertain("?")], repeatable=False)))
    with trace.within(trace.new()):
        await notification.hear(complaint, opened(complaint))
    await notification.deliver()
    async with notification.database.read() as connection:
        message = await connection.scalar(select(notifications.c.id))
    operators = Operators(
        notification.messaging, wake=notification.sender.wake, proof_after=timedelta(hours=24)
    )

    with trace.within(request):
        await operators.decide(str(message), Decision.MARK_SENT, by="an operator")

    assert await traces_said(notification) == [("acknowledgement", request)]


async def test_what_is_no_trace_is_not_kept(notification: Notification) -> None:
    complaint = known(notification)
    with trace.within("00-" + "f" * 100):
        await notification.hear(complaint, opened(complaint))

    await notification.deliver()

    assert await traces_said(notification) == [("acknowledgement", None)]
