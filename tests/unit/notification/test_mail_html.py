"""The HTML of an e-mail is its text, with buttons for what is to be done."""

from __future__ import annotations

import pytest

from services.notification_service.templates.domain.scene import Locale
from services.notification_service.templates.service.mail_html import MailPage

PAGE = MailPage("Redress")
URL = "http://127.0.0.1:8000/track/abc"
BUTTON = '<a class="button" href="http://127.0.0.1:8000/track/abc">{}</a>'


def card(text: str, locale: Locale = "en") -> str:
    html = PAGE.write(locale, "subject", text)
    return html.partition('<div class="card">')[2].partition("</div>")[0].strip()


@pytest.mark.parametrize(
    ("text", "locale", "lead", "label"),
    [
        (f"随时查看进度：{URL}", "zh-CN", "", "随时查看进度"),
        (f"See where things stand: {URL}", "en", "", "See where things stand"),
        (f"您不用来催。随时查看进度：{URL}", "zh-CN", "您不用来催。<br>", "随时查看进度"),
        (f"You need not ask. See more: {URL}", "en", "You need not ask.<br>", "See more"),
        (f"没解决的，我们重办：{URL}", "zh-CN", "没解决的，我们重办：<br>", "打开页面"),
        (f"If it is not settled, tell us: {URL}", "en", "If it is not settled, tell us:<br>",
         "Open the page"),
        (URL, "zh-CN", "", "打开页面"),
    ],
)  # fmt: skip
def test_what_is_to_be_done_is_a_button(text: str, locale: Locale, lead: str, label: str) -> None:
    assert card(text, locale) == f"<p>{lead}{BUTTON.format(label)}</p>"


def test_an_address_within_a_sentence_stays_where_it_is() -> None:
    link = f'<a href="{URL}">{URL}</a>'

    assert card(f"Go to {URL} and write.") == f"<p>Go to {link} and write.</p>"
    assert card(f"Go to {URL}") == f"<p>Go to {link}</p>"


@pytest.mark.parametrize(
    "after", ["。谢谢您。", "，谢谢", "）查看", "”。", ". Thanks", "), or write", "."]
)
def test_what_ends_a_sentence_is_no_part_of_an_address(after: str) -> None:
    assert card(f"查看 {URL}{after}") == f'<p>查看 <a href="{URL}">{URL}</a>{after}</p>'


def test_where_options_are_to_be_chosen_the_other_buttons_step_back() -> None:
    html = card(f"- A. Refund\n  Choose A: {URL}\n\nSee more: {URL}")

    assert f"<li>A. Refund<br>{BUTTON.format('Choose A')}</li>" in html
    assert 'class="button second"' in html.partition("</ul>")[2]


def test_nothing_that_was_written_becomes_html() -> None:
    html = card('- <b>x</b>\n\n> <script>\n\nsay "yes" <i>: ' + URL)

    assert "<b>" not in html
    assert "<script>" not in html
    assert "&lt;i&gt;" in html


def test_a_complaints_number_is_not_broken_over_two_lines() -> None:
    assert card("Your complaint (7K3F-9Q2M-X) <b>") == (
        '<p>Your complaint (<span class="number">7K3F-9Q2M-X</span>) &lt;b&gt;</p>'
    )
