"""Whose clock a customer reads."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from shared.web.zones import calling_code_of, city_of, clock_of, zone_for, zone_of


@pytest.mark.parametrize(
    ("region", "zone"),
    [
        ("CN-31", "Asia/Shanghai"),
        ("CN-65", "Asia/Shanghai"),
        ("US-NY", "America/New_York"),
        ("US-HI", "Pacific/Honolulu"),
        ("CA-ON", "America/Toronto"),
        ("GB-LND", "Europe/London"),
        ("ES-CN", "Atlantic/Canary"),
        ("ES-MD", "Europe/Madrid"),
    ],
)
def test_a_region_tells_its_zone(region: str, zone: str) -> None:
    assert zone_of(region) == ZoneInfo(zone)


@pytest.mark.parametrize("region", [None, "", "CN", "US-ZZ", "RU-MOW", "north-2", "XX-1", "US-*"])
def test_a_code_that_tells_no_zone_gives_none(region: str | None) -> None:
    assert zone_of(region) is None


@pytest.mark.parametrize(
    ("chosen", "region", "zone"),
    [
        ("Asia/Tokyo", "US-NY", "Asia/Tokyo"),
        (None, "US-NY", "America/New_York"),
        ("Mars/Olympus", "US-NY", "America/New_York"),
        (None, None, None),
    ],
)
def test_the_zone_is_the_customers_own_else_their_regions_else_the_companys(
    chosen: str | None, region: str | None, zone: str | None
) -> None:
    found = zone_for(chosen, region)

    assert (found.key if found else None) == zone


def test_a_clock_is_called_by_a_city_that_has_it() -> None:
    assert clock_of("Europe/London", chinese=False) == "London time"
    assert clock_of("Europe/London", chinese=True) == "伦敦时间"


@pytest.mark.parametrize(
    ("zone", "zh", "en"),
    [
        ("Asia/Kolkata", "加尔各答", "Kolkata"),
        ("Asia/Ho_Chi_Minh", "胡志明市", "Ho Chi Minh City"),
        ("America/Indiana/Indianapolis", "印第安纳波利斯", "Indianapolis"),
        ("Europe/London", "伦敦", "London"),
        ("Asia/Shanghai", "上海", "Shanghai"),
    ],
)
def test_a_city_is_known_also_where_the_cldr_has_its_older_name(
    zone: str, zh: str, en: str
) -> None:
    assert city_of(zone, chinese=True) == zh
    assert city_of(zone, chinese=False) == en


def test_chinese_readers_call_their_zone_by_beijing() -> None:
    assert clock_of("Asia/Shanghai", chinese=True) == "北京时间"
    assert clock_of("Asia/Shanghai", chinese=False) == "Shanghai time"


@pytest.mark.parametrize(
    ("zone", "code"), [("Asia/Shanghai", "+86"), ("Europe/London", "+44"), ("UTC", None)]
)
def test_a_zone_tells_how_phone_numbers_of_its_country_begin(zone: str, code: str | None) -> None:
    assert calling_code_of(ZoneInfo(zone)) == code
