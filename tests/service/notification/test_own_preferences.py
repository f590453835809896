"""The customer's own page, without an account or scripts, and mail programs' unsubscribe button."""

from __future__ import annotations

from email import message_from_bytes
from email.policy import default

import pytest

from shared.events.cases import CaseAssigned
from tests.service.notification.conftest import Notification, opened, received
from tests.service.notification.running import Running, eventually, neighbours, running
from tests.service.notification.telling import fact

__all__ = ["neighbours", "running"]

PAGE = "/preferences/t0ken"
FORM = {
    "channel": "email",
    "locale": "en",
    "timezone": "Europe/Berlin",
    "quiet": "own",
    "from": "21:30",
    "to": "09:00",
    "no_sms": "on",
    "survey": "no",
}


async def somebody(running: Running) -> str:
    """A customer whom the service knows and the tracking link leads to; returns their path."""
    complaint = received()
    running.neighbours.tracked["t0ken"] = complaint.customer_id
    await running.publish(complaint)
    path = f"/v1/customers/{complaint.customer_id}/preferences"

    async def is_known() -> bool:
        return (await running.http.get(path)).status_code == 200

    await eventually(is_known)
    return path


async def test_the_zone_that_was_chosen_is_told_to_the_tracking_page(running: Running) -> None:
    path = await somebody(running)
    customer_id = path.split("/")[3]
    inside = f"/v1/internal/notification/zones/{customer_id}"
    bearer = {"Authorization": f"Bearer {running.platform.keys.service_credential}"}

    before = await running.http.get(inside, headers=bearer)
    await running.http.post(PAGE, data=FORM)
    after = await running.http.get(inside, headers=bearer)
    stranger = await running.http.get(f"{inside[:-1]}x", headers=bearer)

    assert before.json() == stranger.json() == {"timezone": None}
    assert after.json() == {"timezone": "Europe/Berlin"}
    assert (await running.http.get(inside)).status_code == 403


@pytest.mark.parametrize(
    ("language", "words"), [("zh-CN", "如何联系您"), ("en", "How we write to you")]
)
async def test_the_page_opens_by_the_tracking_token(
    running: Running, language: str, words: str
) -> None:
    await somebody(running)

    page = await running.http.get(PAGE, params={"lang": language})

    assert page.status_code == 200
    assert f"<h1>{words}</h1>" in page.text
    assert "<script" not in page.text
    assert page.headers["cache-control"] == "no-store"
    assert "noindex" in page.headers["x-robots-tag"]


async def test_what_a_customer_saves_is_theirs_from_then_on(running: Running) -> None:
    path = await somebody(running)

    saved = await running.http.post(PAGE, data=FORM)
    page = await running.http.get(f"{saved.headers['location']}&lang=en")

    assert saved.status_code == 303
    assert "From now on we write to you like this" in page.text
    told = (await running.http.get(path)).json()
    assert told["changed_by"] == "customer"
    assert (told["channel"], told["locale"], told["timezone"]) == ("email", "en", "Europe/Berlin")
    assert told["quiet_hours"] == {"from": "21:30", "to": "09:00"}
    assert told["consent"] == {
        "service": {"sms": False, "email": None},
        "survey": {"sms": False, "email": False},
    }
    assert 'value="21:30"' in page.text


async def test_what_cannot_be_read_is_shown_beside_its_field_and_nothing_is_saved(
    running: Running,
) -> None:
    path = await somebody(running)

    page = await running.http.post(PAGE, data=FORM | {"from": "late"}, params={"lang": "en"})

    assert page.status_code == 422
    assert "Write the beginning of the quiet hours as 22:00." in page.text
    assert (await running.http.get(path)).json()["version"] == 0


@pytest.mark.parametrize("zone", ["America", "../x", "x" * 10_000, "\0"])
async def test_a_zone_that_is_none_is_refused_on_the_page(running: Running, zone: str) -> None:
    path = await somebody(running)

    page = await running.http.post(PAGE, data=FORM | {"timezone": zone}, params={"lang": "en"})

    assert page.status_code == 422
    assert (await running.http.get(path)).json()["version"] == 0


async def test_one_click_of_a_mail_program_leaves_only_what_we_owe(running: Running) -> None:
    path = await somebody(running)
    await running.http.post(PAGE, data=FORM)

    for _ in range(2):
        answer = await running.http.post(PAGE, data={"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 200

    told = (await running.http.get(path)).json()
    assert (told["do_not_contact"], told["channel"], told["version"]) == (True, "email", 2)


async def test_opening_the_link_changes_nothing(running: Running) -> None:
    path = await somebody(running)

    await running.http.get(PAGE, params={"lang": "en"})

    assert (await running.http.get(path)).json()["version"] == 0


async def test_a_wrong_link_leads_nowhere(running: Running) -> None:
    await somebody(running)

    assert (await running.http.get("/preferences/other")).status_code == 404
    assert (await running.http.post("/preferences/other", data=FORM)).status_code == 404


async def test_only_mails_that_need_not_be_sent_have_an_unsubscribe_button(
    notification: Notification,
) -> None:
    complaint = received()
    notification.knows(complaint, email="wang@example.com")
    await notification.hear(complaint, opened(complaint), fact(CaseAssigned, complaint))
    await notification.deliver()

    owed, other = (
        message_from_bytes(file.read_bytes(), policy=default) for file in notification.files()
    )

    link = "http://127.0.0.1:8000/preferences/abc"
    assert owed["List-Unsubscribe"] is None
    assert other["List-Unsubscribe"] == f"<{link}>"
    assert other["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    for mail in (owed, other):
        text, html = mail.get_body(("plain",)), mail.get_body(("html",))
        assert text is not None
        assert html is not None
        assert text.get_content().rstrip().endswith(f"退订\n{link}")
        assert f'<a href="{link}">' in html.get_content()
