"""The pages on which a person edits wordings, in both languages and without scripts."""

from __future__ import annotations

import re

import pytest
from httpx import Response

from shared.http.access import Role
from tests.service.notification.running import Running, neighbours, running
from tests.service.notification.test_templates import OWN

__all__ = ["neighbours", "running"]

PAGE = "/templates/closed/en"


async def press(
    running: Running, do: str, source: str = OWN, *, lang: str = "en", **fields: str
) -> Response:
    """Press a button on the page as it is now."""
    page = (await running.http.get(PAGE)).text
    hidden = dict(re.findall(r'name="(form_token|latest)" value="([^"]*)"', page))
    form = {"source": source.replace("\n", "\r\n"), "do": do} | hidden | fields
    return await running.http.post(f"{PAGE}?lang={lang}", data=form)


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("zh-CN", ("消息模板", "自带", ">员工：客户未答复</a>")),
        ("en", ("Wordings", "the project", ">Staff: no answer came</a>")),
    ],
)
async def test_every_wording_is_listed(running: Running, lang: str, words: tuple[str, ...]) -> None:
    page = (await running.http.get("/templates", params={"lang": lang})).text

    assert 'href="/templates/acknowledgement/zh-CN"' in page
    assert ">staff_waiting_ended</code>" in page
    assert not [word for word in words if word not in page]


async def test_a_preview_keeps_what_was_typed_and_stores_nothing(running: Running) -> None:
    page = await press(running, "preview", sample="without name")

    found = (await running.http.get("/v1/templates/closed/en")).json()
    assert page.status_code == 200
    assert "Dear customer," in page.text
    assert "Thank you! We will reopen it" in page.text
    assert "1 segment ·" in page.text
    assert found["latest"] == "built-in"


async def test_a_wording_is_saved_activated_and_taken_back(running: Running) -> None:
    saved = await press(running, "save")
    activated = await press(running, "activate 1")
    speaks = (await running.http.get("/v1/templates/closed/en")).json()["active"]
    back = await press(running, "activate built-in")

    assert [answer.status_code for answer in (saved, activated, back)] == [303, 303, 303]
    assert speaks == 1
    assert (await running.http.get("/v1/templates/closed/en")).json()["active"] == "built-in"


@pytest.mark.parametrize("version", ["2", "9999999", "nonsense", ""])
async def test_a_version_that_is_not_there_silences_none(running: Running, version: str) -> None:
    await press(running, "save", source=OWN)
    await press(running, "activate 1")

    answer = await press(running, f"activate {version}")

    assert answer.status_code == 404
    found = await running.http.get("/v1/templates/closed/en")
    assert found.json()["active"] == 1


async def test_a_fault_is_shown_beside_what_was_typed(running: Running) -> None:
    page = await press(running, "save", OWN.replace("name or", "nmae or"))

    assert page.status_code == 422
    assert "line 4: there is no variable nmae" in page.text
    assert "nmae or" in page.text.partition("<textarea")[2]


async def test_faults_and_scenes_are_told_in_chinese_on_the_chinese_page(
    running: Running,
) -> None:
    page = await press(running, "save", OWN.replace("name or", "nmae or"), lang="zh-CN")

    assert "第 4 行：没有变量 nmae，是不是想写 name？" in page.text
    assert ">没有 name</option>" in page.text
    assert 'value="without name"' in page.text


async def test_what_keeps_a_version_from_speaking_is_shown(running: Running) -> None:
    await press(running, "save", OWN.replace("Thank you!", "If we were at fault, we are sorry."))

    page = await press(running, "activate 1")

    assert page.status_code == 422
    assert "This keeps it from speaking" in page.text


async def test_nobody_overwrites_another_unseen(running: Running) -> None:
    await press(running, "save")

    late = await press(running, "save", OWN.replace("Thank you", "Thanks"), latest="0")

    assert late.status_code == 412
    assert "Somebody else saved meanwhile" in late.text
    assert "Thanks" in late.text.partition("<textarea")[2]


async def test_a_form_of_another_page_changes_nothing(running: Running) -> None:
    forged = await press(running, "save", form_token="forged")

    assert forged.status_code == 403
    assert (await running.http.get("/v1/templates/closed/en")).json()["latest"] == "built-in"


async def test_who_may_only_read_gets_no_button_to_change(running: Running) -> None:
    key = running.platform.keys.create(role=Role.AGENT, name="agent")
    running.http.headers["authorization"] = f"Bearer {key}"

    page = await running.http.get(PAGE)

    assert 'value="preview"' in page.text
    assert 'value="save"' not in page.text
    assert (await press(running, "save")).status_code == 403
