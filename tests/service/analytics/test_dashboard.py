"""The dashboard's pages as they are served, without a browser."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import httpx
import pytest
from pydantic import JsonValue

from services.notification_service.messages.domain.behind import list_behind
from tests.service.analytics.conftest import Running
from tests.service.analytics.story import BEGAN, Log, Story, id_at, tell_many


async def _page(analytics: Running, address: str, language: str = "en") -> str:
    response = await analytics.client.get(address, headers={"accept-language": language})
    assert response.status_code == 200, response.text
    return response.text


def _links(page: str, start: str) -> list[str]:
    found = [unescape(href) for href in re.findall(r'href="([^"]+)"', page)]
    return [href for href in found if href.startswith(start)]


async def test_before_the_first_complaint_it_says_how_to_send_one(analytics: Running) -> None:
    page = await _page(analytics, "/dashboard")

    assert "Nothing has been received yet" in page
    assert "python -m services demo" in page


@pytest.mark.parametrize("path", ["/dashboard", "/dashboard?period=all", "/dashboard/complaints"])
async def test_figures_that_miss_something_say_from_when_on(analytics: Running, path: str) -> None:
    await analytics.hear(tell_many(20))
    assert "is still being counted" not in await _page(analytics, path)
    analytics.parts.folding.uncounted_since = BEGAN

    page = await _page(analytics, path)

    assert re.search(
        r"What has happened since <time[^>]*>[^<]+</time> is still being counted", page
    )
    assert "还在统计中" in await _page(analytics, path, "zh-CN")


async def test_while_the_log_is_read_again_it_does_not_say_that_nothing_came(
    analytics: Running,
) -> None:
    analytics.parts.folding.uncounted_since = BEGAN

    page = await _page(analytics, "/dashboard")

    assert "is still being counted" in page
    assert "Nothing has been received yet" not in page


async def test_it_shows_figures_heat_table_and_data_under_each_chart(analytics: Running) -> None:
    await analytics.hear(tell_many(200))

    page = await _page(analytics, "/dashboard?period=all")

    assert '<table class="heat">' in page
    for chart in ("trend", "stages", "places"):
        assert f'data-chart="{chart}"' in page
        assert f'id="spec-{chart}"' in page
    assert page.count('class="figure"') == 6
    assert page.count("As a table") == 3


@pytest.mark.parametrize(
    ("asked", "helps"),
    [
        ("period=all&category=nope", ">Drop the filters</a>"),
        ("period=custom&from=2001-01-01&to=2001-01-02", ">Show all time</a>"),
        (
            "period=custom&from=2001-01-01&to=2001-01-02&region=CN-31",
            ">Drop the filters and show all time</a>",
        ),
    ],
)
async def test_where_nothing_fits_it_offers_what_helps(
    analytics: Running, asked: str, helps: str
) -> None:
    await analytics.hear(tell_many(20))

    page = await _page(analytics, f"/dashboard?{asked}")

    assert "No complaint fits this selection" in page
    assert helps in page


async def test_it_speaks_the_readers_language(analytics: Running) -> None:
    await analytics.hear(tell_many(20))

    page = await _page(analytics, "/dashboard?period=all", "zh-CN")

    assert '<html lang="zh-CN">' in page
    assert "投诉集中在哪里" in page
    assert "物流：" in page
    assert "Slowest categories" not in page


async def test_nothing_inline_runs_without_the_nonce(analytics: Running) -> None:
    await analytics.hear(tell_many(20))

    response = await analytics.client.get("/dashboard?period=all")

    policy = response.headers["content-security-policy"]
    nonce = re.search(r"'nonce-([^']+)'", policy)
    assert nonce is not None
    assert "unsafe" not in policy
    assert not re.search(r'\son\w+="|\sstyle="', response.text)
    for tag in re.findall(r"<(?:script|style)[^>]*>", response.text):
        assert f'nonce="{nonce[1]}"' in tag or 'type="application/json"' in tag


async def test_every_cell_leads_to_exactly_its_complaints(analytics: Running) -> None:
    await analytics.hear(tell_many(120))
    page = await _page(analytics, "/dashboard?period=all&rows=category&columns=channel")
    cells = re.findall(r'<td class="heat-\d"><a href="([^"]+)">(\d+)</a>', page)

    assert len(cells) == 15
    for href, count in cells:
        listing = await _page(analytics, unescape(href))
        assert f"<h1>{count} complaint" in listing, href


def _axes(page: str) -> tuple[list[str], list[str]]:
    """Return the values that the rows and the columns of the heat map lead to."""
    table = page.partition('<table class="heat">')[2].partition("</table>")[0]
    head, _, body = table.partition("<tbody>")

    def last(links: list[str]) -> list[str]:
        return [parse_qsl(unescape(href))[-1][1] for href in links]

    return (
        last(re.findall(r'<th scope="row"><a href="[^"?]+\?([^"]+)"', body)),
        last(re.findall(r'<th scope="col"[^>]*><a href="[^"?]+\?([^"]+)"', head)),
    )


async def test_time_and_priority_have_their_own_order_on_both_sides(analytics: Running) -> None:
    log = tell_many(600)
    for salt, priority in enumerate(("P4", "P4", "P4", "P3", "P3", "P1")):
        at = BEGAN + timedelta(hours=salt)
        # Graded by intake, and not opened as a case yet.
        Story(log, id_at(at, 900 + salt), at, f"R-{salt:06d}").received(priority=priority)
    await analytics.hear(log)
    board = "/dashboard?period=all"

    days, priorities = _axes(await _page(analytics, f"{board}&rows=day&columns=priority"))
    hours, weeks = _axes(await _page(analytics, f"{board}&rows=hour_of_week&columns=week"))
    ranks, _ = _axes(await _page(analytics, f"{board}&rows=priority&columns=channel"))

    assert len(days) == 7
    assert days == sorted(days)
    assert priorities == ranks == ["P1", "P2", "P3", "P4"]
    assert len(hours) > 100
    assert hours == sorted(hours, key=int)
    assert weeks == ["2026-08-31", "2026-09-07"]


async def test_the_newest_weeks_are_kept_and_the_empty_ones_between(analytics: Running) -> None:
    log = Log()
    for salt, weeks in enumerate((0, 1, 30, 32)):
        at = BEGAN + timedelta(weeks=weeks)
        Story(log, id_at(at, salt), at, f"N-{salt:06d}").received().opened()
    await analytics.hear(log)

    english = await _page(analytics, "/dashboard?period=all&rows=channel&columns=week")
    chinese = await _page(analytics, "/dashboard?period=all&rows=channel&columns=week", "zh-CN")

    _, columns = _axes(english)
    assert len(columns) == 13
    assert columns[-1] == "2027-04-12"
    assert "Not shown, but in the totals: 2 earlier columns." in english
    assert "另有更早的 2 列未显示，已计入合计。" in chinese
    assert (await analytics.get("heatmap", rows="channel", columns="week"))["columns"] == [
        "2026-08-31",
        "2026-09-07",
        "2027-03-29",
        "2027-04-12",
    ]


async def test_every_figure_leads_to_a_list_that_holds_as_many(analytics: Running) -> None:
    await analytics.hear(tell_many(150))
    page = await _page(analytics, "/dashboard?period=all&category=other&channel=web")
    figures = re.findall(
        r'class="figure" href="([^"]+)">\s*<span class="figure-label">([^<]+)</span>\s*'
        r'<span class="figure-value">([^<]+)<',
        page,
    )

    counted = {label: (unescape(href), value) for href, label, value in figures}
    for label in ("Received", "Open", "Overdue", "Reopened"):
        href, value = counted[label]
        assert f"<h1>{value} complaint" in await _page(analytics, href), label


async def test_the_share_of_deadlines_kept_is_told_with_how_many_were_judged(
    analytics: Running,
) -> None:
    log = tell_many(60)
    for salt in range(40):  # imported and settled: nothing tells when, so nothing is judged
        at = BEGAN + timedelta(hours=salt)
        Story(log, id_at(at, 900 + salt), at, f"R-{salt:06d}").received()
    await analytics.hear(log)
    clocks = (await analytics.get("sla"))["clocks"].values()
    judged = sum(clock["met"] + clock["breached"] for clock in clocks)

    english = await _page(analytics, "/dashboard?period=all")
    chinese = await _page(analytics, "/dashboard?period=all", "zh-CN")
    nothing = await _page(analytics, "/dashboard?period=7d")

    assert judged > 60
    assert f'<span class="figure-base">of {judged} judged</span>' in english
    assert f'<span class="figure-base">按 {judged} 项判定</span>' in chinese
    assert "figure-base" not in nothing.partition("</style>")[2]


async def test_a_breach_that_was_made_good_is_overdue_no_more(analytics: Running) -> None:
    await analytics.hear(tell_many(150))

    breached = await _page(analytics, "/dashboard/complaints?period=all&status=breached")
    overdue = await _page(analytics, "/dashboard/complaints?period=all&status=overdue")

    assert _heading(breached) > 0
    assert _heading(overdue) == 0  # every story with a breach goes on to a reply


def _heading(page: str) -> int:
    found = re.search(r"<h1>([\d,]+) complaint", page)
    assert found is not None
    return int(found[1].replace(",", ""))


async def test_lists_are_paged_and_nobody_is_on_two_pages(analytics: Running) -> None:
    await analytics.hear(tell_many(120))
    address: str | None = "/dashboard/complaints?period=all"
    numbers: list[str] = []
    while address:
        page = await _page(analytics, address)
        numbers += re.findall(r">(N-\d{6})<", page)
        following = re.search(r'href="([^"]+)" rel="next"', page)
        address = unescape(following[1]) if following else None

    assert len(numbers) == len(set(numbers)) == 120


async def test_a_bar_of_the_trend_leads_to_its_days(analytics: Running) -> None:
    await analytics.hear(tell_many(120))
    page = await _page(analytics, "/dashboard?period=custom&from=2026-09-01&to=2026-09-03")

    links = _links(page, "/dashboard/complaints?period=custom&from=2026-09-01&to=2026-09-02")

    assert links
    day = (await analytics.get("heatmap", day="2026-09-01"))["total"]
    assert _heading(await _page(analytics, links[0])) == day


@pytest.mark.parametrize("measure", ["count", "breached", "escalated", "resolved"])
@pytest.mark.parametrize(
    "period", ["period=all", "period=custom&from=2026-09-02&to=2026-12-24"], ids=["all", "weeks"]
)
async def test_a_bar_of_the_trend_leads_to_as_many_complaints_as_it_says(
    analytics: Running, measure: str, period: str
) -> None:
    await analytics.hear(tell_many(300))
    page = await _page(analytics, f"/dashboard?{period}&measure={measure}")
    trend = page.partition('id="trend-title"')[2].partition("</section>")[0]
    bars = re.findall(r'<td class="num"><a href="([^"]+)">([\d,]+)</a>', trend)
    counts = [int(count.replace(",", "")) for _, count in bars]

    listed = [_heading(await _page(analytics, unescape(href))) for href, _ in bars]

    assert listed == counts
    assert sum(counts) > 10


async def test_an_open_trend_ends_today(analytics: Running) -> None:
    await analytics.hear(tell_many(20))
    analytics.clock.advance(timedelta(days=7))  # to the last day of November

    answer = await analytics.client.get("/dashboard/trend.csv?period=custom&from=2026-10-01")

    months = [line.partition(",")[0] for line in answer.text.split("\r\n")[1:] if line]
    assert months == ["2026-10-01", "2026-11-01"]


async def test_the_trend_is_called_what_it_counts(analytics: Running) -> None:
    await analytics.hear(tell_many(20))

    titles = [
        (await _page(analytics, f"/dashboard?period=all&measure={measure}", language))
        for measure, language in (("count", "en"), ("breached", "en"), ("resolved", "zh-CN"))
    ]

    assert "How many come in" in titles[0]
    assert "How many of those received missed a deadline" in titles[1]
    assert "所收投诉中已解决的数量" in titles[2]


async def test_the_link_in_a_message_about_a_hot_spot_leads_to_its_complaints(
    analytics: Running,
) -> None:
    await analytics.hear(tell_many(120))
    facts: dict[str, JsonValue] = {
        "since": "2026-09-01T01:00:00Z",
        "until": "2026-09-02T15:59:00Z",
        "product": "SKU-88",
        "region": "CN-31",
    }
    link = list_behind(facts, "logistics.short", ZoneInfo("Asia/Shanghai"))

    asked = {"category": "logistics.short", "product": "SKU-88", "region": "CN-31"}
    days = {"from": "2026-09-01", "to": "2026-09-03"}
    found = (await analytics.get("heatmap", **asked, **days))["total"]

    assert found > 0
    assert _heading(await _page(analytics, link)) == found
    assert list_behind({}, "", ZoneInfo("UTC")) == "/dashboard/complaints"


async def test_a_hexagon_leads_to_the_complaints_in_it(analytics: Running) -> None:
    await analytics.hear(tell_many(120))
    cells = (await analytics.get("geo", resolution=7))["cells"]

    page = await _page(analytics, f"/dashboard/complaints?period=all&cell={cells[0]['h3']}")

    assert _heading(page) == cells[0]["count"]


async def test_old_records_show_without_being_asked_for(analytics: Running) -> None:
    await analytics.hear(tell_many(5))  # all of them older than ninety days before NOW's year end

    page = await _page(analytics, "/dashboard?period=7d")
    assert "No complaint fits this selection" in page
    assert _links(page, "/dashboard?period=all")


BACKWARDS = "period=custom&from=2014-01-01&to=2013-01-01"


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "The end lies before the beginning."), ("zh-CN", "结束日期早于开始日期。")],
)
async def test_a_period_that_ends_before_it_begins_is_told_next_to_its_field(
    analytics: Running, language: str, words: str
) -> None:
    await analytics.hear(tell_many(20))

    answer = await analytics.client.get(
        f"/dashboard?{BACKWARDS}&region=CN-31", headers={"accept-language": language}
    )

    assert answer.status_code == 422
    assert f'<p class="error" id="to-error">{words}</p>' in answer.text
    assert f'<a href="#to">{words}</a>' in answer.text
    assert 'value="2014-01-01"' in answer.text
    assert 'value="2013-01-01" aria-invalid="true"' in answer.text
    assert '<option value="CN-31" selected>' in answer.text
    assert 'class="figure"' not in answer.text


@pytest.mark.parametrize("path", ["/dashboard/complaints", "/dashboard/trend.csv"])
async def test_no_list_and_no_table_is_made_of_such_a_period(analytics: Running, path: str) -> None:
    answer = await analytics.client.get(f"{path}?{BACKWARDS}")

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/query/to"
    # The days typed play no part in a period that goes by its name.
    named = await analytics.client.get(f"{path}?{BACKWARDS.replace('custom', 'all')}")
    assert named.status_code == 200


async def test_who_may_open_no_case_is_offered_none(analytics: Running) -> None:
    from shared.http.access import Role

    await analytics.hear(tell_many(5))
    gate = analytics.client._transport.app.state.gate  # type: ignore[attr-defined]
    pages = []
    for role in (Role.ANALYST, Role.LEAD):
        key = gate.keys.create(role=role, name=role)
        headers = {"authorization": f"Bearer {key}", "accept-language": "en"}
        answer = await analytics.client.get("/dashboard/complaints?period=all", headers=headers)
        pages.append(answer.text)

    assert [bool(_links(page, "/cases")) for page in pages] == [False, True]
    assert ">N-000000<" in pages[0]


@pytest.mark.parametrize("figure", ["heatmap", "trend", "stages", "slowest", "places"])
async def test_every_figure_can_be_had_as_csv(analytics: Running, figure: str) -> None:
    await analytics.hear(tell_many(60))

    response = await analytics.client.get(f"/dashboard/{figure}.csv?period=all")

    assert response.headers["content-type"].startswith("text/csv")
    assert len(response.text.splitlines()) > 1


async def test_an_unknown_figure_is_not_found(analytics: Running) -> None:
    response = await analytics.client.get("/dashboard/nonsense.csv")

    assert (response.status_code, response.headers["content-type"]) == (
        404,
        "application/problem+json",
    )


async def test_a_stranger_is_sent_away_once_a_key_exists(analytics: Running) -> None:
    from shared.http.access import Role

    gate = analytics.client._transport.app.state.gate  # type: ignore[attr-defined]
    secret = gate.keys.create(role=Role.AGENT, name="agent")
    lead = gate.keys.create(role=Role.LEAD, name="lead")

    async def status(key: str | None) -> int:
        headers = {"authorization": f"Bearer {key}"} if key else {}
        response: httpx.Response = await analytics.client.get("/dashboard", headers=headers)
        return response.status_code

    assert [await status(None), await status(secret), await status(lead)] == [401, 403, 200]


@pytest.mark.parametrize("range_", ["from=0001-01-01", "to=0001-01-01", "from=9999-12-31"])
async def test_a_day_at_the_edge_of_the_calendar_counts_as_not_given(
    analytics: Running, range_: str
) -> None:
    for path in ("/dashboard", "/dashboard/complaints"):
        answer = await analytics.client.get(f"{path}?{range_}")

        assert answer.status_code == 200, answer.text
