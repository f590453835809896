"""Wrong settings stop the start and are named."""

from __future__ import annotations

import pytest

from services.notification_service.gateways.smtp import read_smtp_url
from services.notification_service.settings import NotificationSettings, WebhookSettings
from shared.kernel.errors import ConfigurationError
from shared.kernel.settings import load


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"REDRESS_SMTP_URL": "smtp://h"}, "REDRESS_MAIL_FROM"),
        ({"REDRESS_MAIL_FROM": "nobody"}, "REDRESS_MAIL_FROM"),
        ({"REDRESS_MAIL_FROM": "C <a b@example.com>"}, "REDRESS_MAIL_FROM"),
        ({"REDRESS_MAIL_FROM": "C <.a@example.com>"}, "REDRESS_MAIL_FROM"),
        ({"REDRESS_MAIL_FROM": "C <c@exa mple.com>"}, "REDRESS_MAIL_FROM"),
        ({"REDRESS_MAIL_FROM": "c@example.com junk"}, "REDRESS_MAIL_FROM"),
        ({"REDRESS_MAIL_FROM": "C <投诉@example.com>"}, "REDRESS_MAIL_FROM"),
        ({"REDRESS_SMS_URL": "ftp://h"}, "REDRESS_SMS_URL"),
        ({"REDRESS_SMS_URL": "https://"}, "REDRESS_SMS_URL"),
        ({"REDRESS_SMS_URL": "https://[::1"}, "REDRESS_SMS_URL"),
        ({"REDRESS_SMS_URL": "https://h:99999"}, "REDRESS_SMS_URL"),
        ({"REDRESS_SMS_URL": "https://h/a b"}, "REDRESS_SMS_URL"),
        ({"REDRESS_SMS_TOKEN": "a\nb"}, "REDRESS_SMS_TOKEN"),
        ({"REDRESS_SMS_TOKEN": "密"}, "REDRESS_SMS_TOKEN"),
        ({"REDRESS_ALIYUN_ACCESS_KEY_ID": "a b"}, "REDRESS_ALIYUN_ACCESS_KEY_ID"),
        ({"REDRESS_ALIYUN_SMS_ENDPOINT": "https://"}, "REDRESS_ALIYUN_SMS_ENDPOINT"),
        ({"REDRESS_TENCENT_SMS_ENDPOINT": "https://h/v1"}, "REDRESS_TENCENT_SMS_ENDPOINT"),
        ({"REDRESS_TENCENT_REGION": "广州"}, "REDRESS_TENCENT_REGION"),
        ({"REDRESS_TWILIO_ENDPOINT": "http:///x"}, "REDRESS_TWILIO_ENDPOINT"),
        ({"REDRESS_SMS_DEDUPLICATES": "perhaps"}, "REDRESS_SMS_DEDUPLICATES"),
        (
            {"REDRESS_MESSAGE_LONGEST_RETRY_SECONDS": "0.1"},
            "REDRESS_MESSAGE_LONGEST_RETRY_SECONDS",
        ),
        (
            {"REDRESS_MESSAGE_LONGEST_RETRY_SECONDS": "inf"},
            "REDRESS_MESSAGE_LONGEST_RETRY_SECONDS",
        ),
    ],
)
def test_a_wrong_setting_is_named(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], named: str
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(ConfigurationError, match=named):
        load(NotificationSettings)


@pytest.mark.parametrize("name", ["LONGEST_RETRY_SECONDS", "GIVE_UP_SECONDS", "RETENTION_DAYS"])
@pytest.mark.parametrize("value", ["inf", "nan", "1e15"])
def test_a_span_that_no_date_has_room_for_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"REDRESS_WEBHOOK_{name}", value)

    with pytest.raises(ConfigurationError, match=f"REDRESS_WEBHOOK_{name}"):
        load(WebhookSettings)


@pytest.mark.parametrize(
    "url",
    [
        "mail.example.com",
        "http://h",
        "smtp://",
        "smtp://h:99999",
        "smtp://[::1",
        "smtp://h?tls=no",
        "smtp://h?x=1",
    ],
)
def test_a_mail_server_that_cannot_be_read_is_named(url: str) -> None:
    with pytest.raises(ConfigurationError, match="REDRESS_SMTP_URL"):
        read_smtp_url(url)


@pytest.mark.parametrize(
    ("url", "port", "tls"),
    [
        ("smtp://mail.example.com", 587, "starttls"),
        ("smtps://mail.example.com", 465, "tls"),
        ("smtp://mail.example.com:465", 465, "tls"),
        ("smtp://127.0.0.1:2525", 2525, "none"),
        ("smtp://mail.example.com:25?tls=none", 25, "none"),
    ],
)
def test_encryption_follows_from_scheme_and_port(url: str, port: int, tls: str) -> None:
    server = read_smtp_url(url)

    assert (server.port, server.tls) == (port, tls)


def test_a_password_may_hold_any_character() -> None:
    server = read_smtp_url("smtp://me%40example.com:p%40ss%2Fword@mail.example.com")

    assert (server.username, server.password) == ("me@example.com", "p@ss/word")
