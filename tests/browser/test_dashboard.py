"""The dashboard: complete without scripts, drawn with them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from tests.browser.looking import PHONE, Lang, Reader

BOARD = "/dashboard?period=all&rows=category&columns=region"


def test_each_cell_leads_to_as_many_complaints_as_it_says(reader: Reader) -> None:
    page = reader.sit_down("en", scripts=False)
    page.goto(BOARD)
    cells = [
        (cell.get_attribute("href") or "", _figure(cell.inner_text()))
        for cell in page.query_selector_all("table.heat td a")
    ]

    assert len(cells) >= 5
    for href, count in cells[:6] + cells[-2:]:
        page.goto(href)
        assert _figure(page.inner_text("h1")) == count, href
        assert len(page.query_selector_all("table.lines tbody tr")) == min(count, 50)


def test_each_figure_leads_to_the_list_behind_it(reader: Reader) -> None:
    page = reader.sit_down("en", scripts=False)
    page.goto(BOARD)
    received = page.query_selector("a.figure")
    assert received is not None
    count = _figure((received.query_selector(".figure-value") or received).inner_text())

    received.click()

    assert _figure(page.inner_text("h1")) == count


def test_the_filter_bar_works_without_scripts(reader: Reader) -> None:
    page = reader.sit_down("zh-CN", scripts=False)
    page.goto("/dashboard?period=all")

    page.select_option("#region", "GB-LND")
    page.click("form.filters button")

    assert "region=GB-LND" in page.url
    assert page.input_value("#region") == "GB-LND"
    heads = [head.inner_text() for head in page.query_selector_all("table.heat thead th")]
    assert heads == ["伦敦", "合计"]


def test_columns_in_time_are_scrolled_to_the_newest_without_scripts(reader: Reader) -> None:
    page = reader.sit_down("en", {"width": 200, "height": 740}, scripts=False)
    page.goto("/dashboard?period=all&columns=week")
    box = page.locator("#heat .table-wrap")
    newest = page.locator("#heat thead th").last

    room, end = box.bounding_box(), newest.bounding_box()

    assert room is not None
    assert end is not None
    assert box.evaluate("each => each.scrollWidth > each.clientWidth")
    assert abs(end["x"] + end["width"] - room["x"] - room["width"]) < 4


def test_every_chart_is_drawn(reader: Reader) -> None:
    for screen in (None, PHONE):
        page = reader.sit_down("zh-CN", screen or {"width": 1280, "height": 900})
        page.goto(BOARD)

        for chart in ("trend", "stages", "places"):
            page.wait_for_selector(
                f"[data-chart={chart}] svg .mark-group, [data-chart={chart}] svg path"
            )
            box = page.locator(f"[data-chart={chart}] svg").bounding_box()
            assert box is not None
            assert 100 < box["width"] <= page.evaluate("innerWidth")
            assert 50 < box["height"] < 700, (chart, box)


@pytest.mark.parametrize("lang", ["en", "zh-CN"])
@pytest.mark.parametrize("width", [1366, 1024, 390, 360])
def test_the_table_of_stages_is_readable_as_a_whole(reader: Reader, lang: Lang, width: int) -> None:
    page = reader.sit_down(lang, {"width": width, "height": 900})
    page.goto(BOARD)
    page.wait_for_selector("[data-chart=stages] svg")

    # As long as any can be, and all six stages; the story's own take less than a second.
    page.evaluate(
        _FILL_STAGES, "2\xa0hours 59\xa0minutes" if lang == "en" else "2\xa0小时 59\xa0分钟"
    )
    box = page.locator("section[aria-labelledby=stages-title] .data")
    room = box.evaluate("(e) => [e.scrollWidth - e.clientWidth, e.scrollHeight - e.clientHeight]")

    assert box.locator("tbody tr").count() == 6
    assert room == [0, 0]


_FILL_STAGES = """(longest) => {
  const body = document.querySelector("section[aria-labelledby=stages-title] tbody");
  while (body.rows.length < 6) body.append(body.rows[0].cloneNode(true));
  for (const row of body.rows) {
    row.cells[1].textContent = "1,240,583";
    for (const cell of [...row.cells].slice(2)) cell.textContent = longest;
  }
}"""


def test_the_axes_of_the_trend_tell_each_number_and_each_day_once(reader: Reader) -> None:
    today = datetime.now(UTC).date()
    page = reader.sit_down("en")
    page.goto(f"/dashboard?period=custom&from={today - timedelta(365)}&to={today + timedelta(2)}")
    page.wait_for_selector("[data-chart=trend] svg")

    days, counts = [
        axis.locator("text").all_text_contents()
        for axis in page.locator("[data-chart=trend] svg .role-axis-label").all()
    ]

    assert counts[0] == "0"
    assert len(counts) == len(set(counts)) > 1
    assert len(days) == len(set(days)) > 3


def test_the_charts_have_their_data_in_tables_without_scripts(reader: Reader) -> None:
    page = reader.sit_down("en", scripts=False)
    page.goto(BOARD)

    assert len(page.query_selector_all(".note table")) == 3
    assert page.query_selector("[data-chart] svg") is None


def test_the_page_can_be_printed(reader: Reader) -> None:
    page = reader.sit_down("en")
    page.goto(BOARD)

    page.wait_for_selector("[data-chart=trend] svg")
    page.emulate_media(media="print")

    assert not page.is_visible("form.filters")
    assert page.is_visible("table.heat")
    assert len(page.pdf(format="A4")) > 10_000


def _figure(text: str) -> int:
    found = re.search(r"[\d,]+", text)
    assert found is not None, text
    return int(found[0].replace(",", ""))
