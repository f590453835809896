"""Settings name themselves when they are wrong."""

from __future__ import annotations

import pytest

from shared.kernel.errors import ConfigurationError
from shared.kernel.settings import CommonSettings, load


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REDRESS_PORT", "eighty"),
        ("REDRESS_PORT", "70000"),
        ("REDRESS_TIMEZONE", "Mars/Olympus"),
        ("REDRESS_DEFAULT_LOCALE", "fr"),
        ("REDRESS_LOG_LEVEL", "loud"),
        ("REDRESS_PUBLIC_URL", "not a value!!"),
        ("REDRESS_STAFF_URL", "/cases"),
        ("REDRESS_WORKFLOW_URL", "workflow:8000"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(ConfigurationError, match=name) as caught:
        load(CommonSettings)

    assert "\n" not in caught.value.detail


def test_a_service_without_a_database_setting_gets_a_file_in_the_home(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REDRESS_HOME", "/tmp/somewhere")
    monkeypatch.delenv("REDRESS_INTAKE_DATABASE_URL", raising=False)

    settings = load(CommonSettings)

    assert settings.database_url("intake") == "sqlite:////tmp/somewhere/intake.db"
    assert settings.service_url("workflow") == "http://127.0.0.1:8000"
