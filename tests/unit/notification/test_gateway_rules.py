"""The choice of gateways by settings, the file of approved wordings, and the rate of a gateway."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.notification_service.gateways.aliyun import AliyunSms
from services.notification_service.gateways.domain.rate import RateLimit
from services.notification_service.gateways.service import Surroundings, open_gateways
from services.notification_service.gateways.tencent import TencentSms
from services.notification_service.gateways.twilio import TwilioSms
from services.notification_service.messages.domain.words import Kind
from services.notification_service.settings import NotificationSettings
from shared.events.words import MessageChannel
from shared.kernel.errors import ConfigurationError
from shared.kernel.settings import load

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
WORDINGS = """
sign_name: 红杉商城
templates:
  acknowledgement:
    zh-CN: {code: SMS_1001, parameters: {number: number, time: {value: due_at, otherwise: 24小时}}}
    en: {code: SMS_1002, sign_name: Sequoia, parameters: {number: number}}
"""
ALIYUN = {"SMS_GATEWAY": "aliyun", "ALIYUN_ACCESS_KEY_ID": "id", "ALIYUN_ACCESS_KEY_SECRET": "s"}
TENCENT = {
    "SMS_GATEWAY": "tencent",
    "TENCENT_SECRET_ID": "id",
    "TENCENT_SECRET_KEY": "s",
    "TENCENT_SMS_APP_ID": "14",
}
TWILIO = {
    "SMS_GATEWAY": "twilio",
    "TWILIO_ACCOUNT_SID": "AC1",
    "TWILIO_AUTH_TOKEN": "t",
    "TWILIO_FROM": "+1",
}


def opened_with(
    monkeypatch: pytest.MonkeyPatch, folder: Path, given: dict[str, str], wordings: str = WORDINGS
) -> object:
    """Return the SMS gateway that these settings open."""
    file = folder / "wordings.yaml"
    file.write_text(wordings, encoding="utf-8")
    for name, value in {"SMS_TEMPLATES": str(file), **given}.items():
        if value:
            monkeypatch.setenv(f"REDRESS_{name}", value)
    around = Surroundings(kinds=frozenset(Kind))
    found = open_gateways(load(NotificationSettings), folder, around)
    return found.by_channel[MessageChannel.SMS]


@pytest.mark.parametrize(
    ("given", "expected"), [(ALIYUN, AliyunSms), (TWILIO, TwilioSms), (TENCENT, TencentSms)]
)
def test_the_setting_chooses_the_gateway(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, given: dict[str, str], expected: type
) -> None:
    wordings = WORDINGS.replace("number:", '"1":').replace("time:", '"2":')

    found = opened_with(monkeypatch, tmp_path, given, wordings)

    assert isinstance(found, expected)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"SMS_GATEWAY": "smoke"}, "REDRESS_SMS_GATEWAY"),
        ({"SMS_GATEWAY": "http"}, "REDRESS_SMS_URL"),
        (ALIYUN | {"ALIYUN_ACCESS_KEY_ID": ""}, "REDRESS_ALIYUN_ACCESS_KEY_ID"),
        (ALIYUN | {"ALIYUN_ACCESS_KEY_SECRET": ""}, "REDRESS_ALIYUN_ACCESS_KEY_SECRET"),
        (ALIYUN | {"ALIYUN_SMS_ENDPOINT": "ftp://h"}, "REDRESS_ALIYUN_SMS_ENDPOINT"),
        (ALIYUN | {"SMS_TEMPLATES": ""}, "REDRESS_SMS_TEMPLATES"),
        (ALIYUN | {"SMS_TEMPLATES": "/nowhere.yaml"}, "REDRESS_SMS_TEMPLATES"),
        (TENCENT | {"TENCENT_SMS_APP_ID": ""}, "REDRESS_TENCENT_SMS_APP_ID"),
        (TWILIO | {"TWILIO_FROM": ""}, "REDRESS_TWILIO_FROM"),
        (
            {"SMS_URL": "http://h", "SMS_SECRET": "whsec_c2hvcnQ="},
            "REDRESS_SMS_SECRET: must be whsec_",
        ),
        ({"SMS_PER_SECOND": "0"}, "REDRESS_SMS_PER_SECOND"),
        ({"EMAIL_BURST": "0"}, "REDRESS_EMAIL_BURST"),
    ],
)
def test_what_a_gateway_lacks_stops_the_start_and_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, given: dict[str, str], named: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        opened_with(monkeypatch, tmp_path, given)

    assert named in caught.value.detail


@pytest.mark.parametrize(
    ("wordings", "said"),
    [
        ("", "line 1"),
        ("sign_name: [", "line 2"),
        ("sign_name: x\ntemplates:\n  birthday: {}\n", "no messages of the kind 'birthday'"),
        (WORDINGS.replace("en:", "fr:"), "line 6: templates.acknowledgement.fr"),
        (WORDINGS.replace("value: due_at", "value: moon"), "there is no 'moon'"),
        (WORDINGS.replace("code: SMS_1001", "kode: SMS_1001"), "templates.acknowledgement.zh-CN"),
        (WORDINGS.replace("sign_name: 红杉商城", "sign_name: ''"), "sign_name"),
        (WORDINGS + "  acknowledgement: {}\n", "stands there twice"),
    ],
)
def test_a_malformed_file_of_wordings_stops_the_start_and_says_where(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, wordings: str, said: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        opened_with(monkeypatch, tmp_path, ALIYUN, wordings)

    assert "REDRESS_SMS_TEMPLATES" in caught.value.detail
    assert said in caught.value.detail


def test_tencents_variables_must_be_numbered(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError, match="numbers its variables"):
        opened_with(monkeypatch, tmp_path, TENCENT)


def test_a_burst_goes_at_once_and_the_rest_at_the_rate() -> None:
    limit = RateLimit(2, burst=3)

    turns = [limit.turn(str(number), now=NOW) for number in range(6)]

    waits = [max(0.0, (turn - NOW).total_seconds()) for turn in turns]
    assert waits == [0, 0, 0, 0.5, 1.0, 1.5]


def test_who_waited_goes_when_their_turn_has_come_however_many_came_since() -> None:
    limit = RateLimit(1, burst=1)
    limit.turn("first", now=NOW)
    place = limit.turn("waiting", now=NOW)

    for number in range(5):
        limit.turn(f"later {number}", now=NOW + timedelta(milliseconds=500))

    assert limit.turn("waiting", now=NOW + timedelta(milliseconds=500)) == place
    assert limit.turn("waiting", now=place) == place
    assert limit.turn("newcomer", now=place) > place


def test_an_idle_gateway_saves_up_no_more_than_its_burst() -> None:
    limit = RateLimit(10, burst=2)
    limit.turn("first", now=NOW)
    later = NOW + timedelta(hours=1)

    at_once = [limit.turn(str(number), now=later) <= later for number in range(3)]

    assert at_once == [True, True, False]
