"""Every page, in both languages, on a desk and on a phone, by day and by night."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.browser.conftest import Story
from tests.browser.looking import PHONE, Lang, Reader, Seen

PAGES = {
    "start": "/",
    "docs": "/docs",
    "problems": "/problems",
    "problem": "/problems/invalid-input",
    "sign-in": "/sign-in",
    "tracking": "",
    "preferences": "/preferences/{token}",
    "outbox": "/outbox",
    "cases": "/cases",
    "case": "/cases/{number}",
    "draft": "/cases/{number}/draft",
    "dashboard": "/dashboard",
    "filtered": "/dashboard?period=all&category=logistics.short&rows=channel&columns=day",
    "list": "/dashboard/complaints?period=all",
}
LANGUAGES: tuple[Lang, Lang] = ("zh-CN", "en")

every_page = pytest.mark.parametrize("name", PAGES)
every_layout = pytest.mark.parametrize(
    "name", sorted(PAGES.keys() - {"problems", "problem", "list"})
)
every_language = pytest.mark.parametrize("lang", LANGUAGES)
_seen: dict[tuple[str, str], Seen] = {}


def path_of(name: str, story: Story) -> str:
    token = story.zh.rpartition("/")[2]
    return PAGES[name].format(number=story.number, token=token) or story.zh


@pytest.fixture
def seen(reader: Reader, story: Story, name: str, lang: Lang) -> Seen:
    """A page as it was found; looked at once for all tests."""
    key = (reader.url + name, lang)
    if key not in _seen:
        _seen[key] = reader.look(path_of(name, story), lang)
    return _seen[key]


@every_language
@every_page
def test_a_page_asks_no_other_host_and_nothing_fails(seen: Seen) -> None:
    assert seen.troubles == []


@every_language
@every_page
def test_a_page_speaks_its_readers_language(seen: Seen, lang: Lang) -> None:
    assert seen.lang == lang
    assert bool(re.search(r"[\u4e00-\u9fff]", seen.title)) == (lang == "zh-CN")


@every_page
@pytest.mark.parametrize("lang", ["zh-CN"])
def test_chinese_words_are_not_followed_by_ascii_punctuation(seen: Seen, lang: Lang) -> None:
    assert re.findall(r".{0,12}[\u4e00-\u9fff][,;:?!()].{0,6}", seen.text) == []


@every_language
@every_page
def test_a_page_fits_a_desk_and_a_phone(seen: Seen) -> None:
    assert seen.too_wide == {"desktop": [], "phone": []}


@every_language
@every_page
def test_a_page_can_be_read_aloud(seen: Seen) -> None:
    assert seen.structure == []


@every_language
@every_page
def test_words_stand_out_by_day_and_by_night(seen: Seen) -> None:
    assert seen.contrast == {"light": [], "dark": []}


@pytest.mark.parametrize("name", ["cases", "list"])
@pytest.mark.usefixtures("story")
def test_no_number_and_no_time_of_a_list_is_broken_on_a_phone(reader: Reader, name: str) -> None:
    page = reader.sit_down("zh-CN", PHONE)
    page.goto(PAGES[name])

    broken = page.eval_on_selector_all(
        "tbody th a, tbody time",
        "all => all.filter(one => one.getClientRects().length > 1).map(one => one.textContent)",
    )

    assert page.query_selector("tbody th a")
    assert broken == []


@every_layout
def test_the_language_switch_keeps_the_page(reader: Reader, story: Story, name: str) -> None:
    page = reader.sit_down("en")
    page.goto(path_of(name, story))
    before = urlsplit(page.url)

    page.click("nav.languages a")

    after = urlsplit(page.url)
    assert page.get_attribute("html", "lang") == "zh-CN"
    assert after.path == before.path
    assert parse_qs(after.query) == {**parse_qs(before.query), "lang": ["zh-CN"]}
    kept = {cookie["name"]: cookie["value"] for cookie in page.context.cookies()}
    assert kept["redress_lang"] == "zh-CN"


@every_layout
def test_the_keyboard_shows_where_it_is(reader: Reader, story: Story, name: str) -> None:
    page = reader.sit_down("en")
    page.goto(path_of(name, story))
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"

    for _ in range(8):
        shown = page.evaluate(_FOCUS)
        if shown["body"]:
            break  # past the last control the browser's own come
        assert shown["width"] >= 2, shown
        assert shown["style"] != "none", shown
        page.keyboard.press("Tab")


_FOCUS = """() => {
  const style = getComputedStyle(document.activeElement);
  return {width: parseFloat(style.outlineWidth), style: style.outlineStyle,
          body: document.activeElement === document.body,
          element: document.activeElement.outerHTML.slice(0, 120)};
}"""
