"""A customer answers a proposal on a phone, without scripts, from the mail or the tracking page."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page

from shared.kernel.ids import new_id
from tests.browser.conftest import Story
from tests.browser.looking import PHONE, SCHEMES, Lang, Reader
from tests.harness.product import COMPLAINT, Product, eventually

OPTIONS = [
    {"kind": "re_send", "text": "明天补发缺少的两件，顺丰寄到您家"},
    {"kind": "refund", "text": "退还两件的货款", "amount": {"amount": "39.80", "currency": "CNY"}},
]


@pytest.fixture
def asked(embedded: Product, story: Story) -> dict[str, Any]:
    """A complaint whose customer has been sent a proposal by e-mail."""
    customer = {"name": "王芳", "email": f"{new_id()}@example.com", "locale": "zh-CN"}
    made: dict[str, Any] = embedded.post("/v1/complaints", COMPLAINT | {"customer": customer})
    eventually(lambda: embedded.case(made["id"]))
    embedded.act(made["id"], "propose", options=OPTIONS)
    eventually(lambda: _mail(embedded, made["id"]), what="the proposal is sent")
    return made


def test_a_button_of_the_mail_leads_to_its_option_and_settles_nothing(
    reader: Reader, embedded: Product, asked: dict[str, Any]
) -> None:
    mail = _opened_mail(reader, embedded, asked["id"])
    page = reader.sit_down("zh-CN", PHONE, scripts=False)

    page.goto(mail.get_attribute("text=选方案 B", "href") or "")

    assert page.is_checked("input[value=B]")
    assert embedded.case(asked["id"])["state"] == "proposed"


def test_an_option_is_taken_from_the_tracking_page(
    reader: Reader, embedded: Product, asked: dict[str, Any]
) -> None:
    page = reader.sit_down("zh-CN", PHONE, scripts=False)

    page.goto(urlsplit(asked["tracking_url"]).path)
    page.click("text=查看方案并答复")
    page.check("input[value=A]")
    page.click("text=就选这个")

    assert page.inner_text("h1") == "谢谢您，就这么定了"
    assert "明天补发缺少的两件" in page.inner_text("[role=status]")
    assert embedded.case(asked["id"])["state"] == "executing"


def test_none_is_taken_and_what_was_written_is_kept_until_it_is_right(
    reader: Reader, embedded: Product, asked: dict[str, Any]
) -> None:
    page = reader.sit_down("zh-CN", PHONE, scripts=False)
    page.goto(f"{urlsplit(asked['tracking_url']).path}/proposal")

    page.click("text=这些都不合适")
    page.click("text=提交")
    assert page.inner_text("#why-error") == "请先写下哪里不合适。"
    page.fill("#why", "两件都不要了，请全额退款。")
    page.click("text=提交")

    assert page.inner_text("h1") == "谢谢您告诉我们"
    assert embedded.case(asked["id"])["state"] == "investigating"


def test_where_nothing_was_proposed_the_way_leads_back(reader: Reader, story: Story) -> None:
    page = reader.sit_down("zh-CN", PHONE, scripts=False)

    page.goto(f"{story.zh}/proposal")

    assert urlsplit(page.url).path == story.zh


@pytest.mark.parametrize("lang", ["zh-CN", "en"])
def test_the_page_is_sound_on_every_screen(
    reader: Reader, asked: dict[str, Any], lang: Lang
) -> None:
    seen = reader.look(f"{urlsplit(asked['tracking_url']).path}/proposal", lang)

    assert seen.lang == lang
    assert not any(seen.too_wide.values()), seen.too_wide
    assert not seen.structure
    assert not any(seen.contrast.values()), seen.contrast
    assert not seen.troubles


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_mail_fits_a_phone_and_its_buttons_fit_a_thumb(
    reader: Reader, embedded: Product, asked: dict[str, Any], scheme: str
) -> None:
    page = _opened_mail(reader, embedded, asked["id"], scheme)

    width = page.evaluate("document.documentElement.scrollWidth")
    heights = [box["height"] for box in map(_box, page.query_selector_all("a.button")) if box]
    card = page.evaluate("getComputedStyle(document.querySelector('.card')).backgroundColor")

    assert width <= PHONE["width"]
    assert len(heights) == 4, "two options, the progress, and the way to say that none suits"
    assert min(heights) >= 44
    assert card == {"light": "rgb(255, 255, 255)", "dark": "rgb(28, 34, 44)"}[scheme]


def _opened_mail(reader: Reader, product: Product, complaint: str, scheme: str = "light") -> Page:
    html = product.request("GET", f"/outbox/{_mail(product, complaint)}/html").text
    page = reader.sit_down("zh-CN", PHONE)
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_content(html)
    return page


def _mail(product: Product, complaint: str) -> str | None:
    items = product.get("/v1/notifications", complaint_id=complaint, state="sent")["items"]
    return next((item["id"] for item in items if item["kind"] == "proposal"), None)


def _box(element: Any) -> dict[str, float] | None:
    found: dict[str, float] | None = element.bounding_box()
    return found
