"""The outbox, like a mail program, without scripts."""

from __future__ import annotations

from tests.browser.conftest import Story
from tests.browser.looking import PHONE, Reader


def test_a_message_is_chosen_and_left_on_a_phone(reader: Reader, story: Story) -> None:
    page = reader.sit_down("en", PHONE, scripts=False)
    page.goto(f"/outbox?complaint={story.number}")
    assert not page.is_visible(".split-detail"), "on a phone the list comes first"

    page.click(".split-list .item:has-text('Proposal')")

    assert not page.is_visible(".split-list")
    mail = page.frame_locator(".mail iframe")
    assert "We refund what was charged twice." in mail.locator("body").inner_text()
    page.click("text=Back to the list")
    assert page.is_visible(".split-list")
    assert page.input_value("#complaint") == story.number


def test_an_sms_tells_its_length_and_segments(reader: Reader, story: Story) -> None:
    page = reader.sit_down("en", scripts=False)
    page.goto("/outbox")

    page.click(".split-list .item:has-text('SMS'):has-text('Acknowledgement')")

    assert story.zh in page.inner_text(".bubble")
    assert "segments" in page.inner_text(".bubble-meta")


def test_a_complaint_without_messages_is_told_so(reader: Reader) -> None:
    page = reader.sit_down("zh-CN", scripts=False)

    page.goto("/outbox?complaint=0000-0000-0")

    assert "这条投诉还没有消息" in page.inner_text(".empty")
