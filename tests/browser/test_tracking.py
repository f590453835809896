"""The customer's page, on a phone without scripts."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.browser.conftest import Story
from tests.browser.looking import PHONE, Reader


def test_a_customer_adds_something_without_scripts(reader: Reader, story: Story) -> None:
    page = _open(reader, story.en)

    page.fill("#addition", "The parcel number is SF 1029.")
    page.click("text=Add it")

    assert "saved=1" in page.url
    assert "We have added it" in page.inner_text("[role=status]")
    assert "The parcel number is SF 1029." in page.inner_text("dl.facts")
    assert "You added something" in page.inner_text(".timeline")


def test_a_customer_puts_something_right_without_scripts(reader: Reader, story: Story) -> None:
    page = _open(reader, story.en)

    page.click("text=Not right? Correct it")
    page.fill("#correction", "It was order A-1030.")
    page.click("text=Send the correction")

    assert "It was order A-1030." in page.inner_text("dl.facts")
    assert "You put something right" in page.inner_text(".timeline")


def test_a_customer_asks_for_a_supervisor_without_scripts(reader: Reader, story: Story) -> None:
    page = reader.sit_down("zh-CN", PHONE, scripts=False)
    page.goto(story.zh)

    page.click("#supervision button")

    assert "您的投诉已转交主管部门" in page.inner_text("#supervision [role=status]")
    assert "您要求主管介入" in page.inner_text(".timeline")
    assert page.query_selector("#supervision button") is None


def test_an_empty_addition_is_refused_in_the_customers_words(reader: Reader, story: Story) -> None:
    page = reader.sit_down("zh-CN", PHONE, scripts=False)
    page.goto(story.zh)

    page.click("text=提交补充")

    summary = page.inner_text(".error-summary")
    assert "请" in summary
    assert "character" not in summary
    assert page.get_attribute("#addition", "aria-invalid") == "true"


def test_a_customer_sees_no_way_into_the_house(reader: Reader, story: Story) -> None:
    page = _open(reader, story.zh)

    targets = {link.get_attribute("href") or "" for link in page.query_selector_all("a[href]")}

    token = story.zh.rpartition("/")[2]
    own = ("#", f"/track/{token}", f"/preferences/{token}")
    assert all(target.startswith(own) for target in targets), targets


def test_a_mistyped_link_is_explained_in_the_customers_language(
    reader: Reader, story: Story
) -> None:
    page = reader.sit_down("zh-CN", PHONE, scripts=False)

    page.goto(story.zh[:-4])

    assert page.inner_text("h1") == "这个链接没有对应的投诉"
    assert page.query_selector("main a, nav a[href^='/dashboard']") is None


def _open(reader: Reader, path: str) -> Page:
    page = reader.sit_down("en", PHONE, scripts=False)
    page.goto(path)
    return page


def test_a_customer_chooses_how_they_are_written_to_without_scripts(
    reader: Reader, story: Story
) -> None:
    page = _open(reader, story.en)

    page.click("text=Choose how and when we write to you")
    page.check("input[name=quiet][value=own]")
    page.fill("#from", "21:15")
    page.check("input[name=no_sms]")
    page.click("text=Save")

    assert "From now on we write to you like this" in page.inner_text("[role=status]")
    assert page.input_value("#from") == "21:15"
    assert page.is_checked("input[name=no_sms]")
