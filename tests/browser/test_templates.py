"""The pages of wordings are sound on every screen, by day and night."""

from __future__ import annotations

import pytest

from tests.browser.looking import Lang, Reader


@pytest.mark.parametrize("lang", ["zh-CN", "en"])
@pytest.mark.parametrize("path", ["/templates", "/templates/proposal/zh-CN"])
def test_a_page_of_wordings_is_sound(reader: Reader, path: str, lang: Lang) -> None:
    seen = reader.look(path, lang)

    assert seen.lang == lang
    assert not any(seen.too_wide.values()), seen.too_wide
    assert not seen.structure
    assert not any(seen.contrast.values()), seen.contrast
    assert not seen.troubles
