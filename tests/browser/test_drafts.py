"""An agent has a text checked before it is sent, without scripts, by the real rules."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from tests.browser.conftest import Story
from tests.browser.looking import Lang, Reader, Watch

TEXT = "如果是我们的问题，我们很抱歉。\n会有人联系您。"


def test_what_was_found_stands_above_the_text_that_was_typed(reader: Reader, story: Story) -> None:
    page = reader.sit_down("zh-CN", scripts=False)
    page.goto(f"/cases/{story.number}")
    page.click("text=检查写给客户的话")

    page.fill("#text", TEXT)
    page.click("main button")

    assert page.inner_text("#verdict") == "请改好再发"
    assert page.inner_text("mark").startswith("如果是我们的问题")
    assert page.input_value("#text") == TEXT


@pytest.mark.parametrize("lang", ["zh-CN", "en"])
def test_the_page_with_its_findings_is_sound_on_every_screen(
    reader: Reader, story: Story, lang: Lang
) -> None:
    page = reader.sit_down(lang)
    watch = Watch(urlsplit(reader.url).netloc).over(page)
    page.goto(f"/cases/{story.number}/draft")
    page.fill("#text", TEXT)
    page.click("main button")

    seen = reader.look_at(page, watch)

    assert seen.lang == lang
    assert not any(seen.too_wide.values()), seen.too_wide
    assert not seen.structure
    assert not any(seen.contrast.values()), seen.contrast
    assert not seen.troubles
