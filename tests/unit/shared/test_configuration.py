"""Names of settings: those that are nearly right are refused, those of others left alone."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest
from pydantic.fields import FieldInfo

from services import SERVICES
from services.configuration import (
    check_settings,
    names_of,
    names_unknown,
    refuse_misspelt,
    settings_of,
)
from shared.kernel.errors import ConfigurationError


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("REDRESS_SMTP_ULR", "REDRESS_SMTP_URL"),
        ("REDRESS_COMPNY", "REDRESS_COMPANY"),
        ("REDRESS_HOMES", "REDRESS_HOME"),
        ("REDRESS_QUIET_HOUR", "REDRESS_QUIET_HOURS"),
        ("REDRESS_WEBHOOK_RETENTION_DAY", "REDRESS_WEBHOOK_RETENTION_DAYS"),
    ],
)
def test_a_misspelt_name_is_refused_and_the_right_one_said(written: str, meant: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{written}: is no setting; {meant} is one"):
        refuse_misspelt(["PATH", "REDRESS_HOME", written])


@pytest.mark.parametrize(
    "name",
    [
        "REDRESS_SERVICE_HOST",
        "REDRESS_SERVICE_PORT",
        "REDRESS_PORT_8000_TCP",
        "REDRESS_PORT_8000_TCP_PROTO",
        "REDRESS_TEST_DATA",
        "REDRESS_VERSION",
        "redress_smtp_ulr",
        "OTHER_REDRESS_HOMES",
    ],
)
def test_what_others_call_theirs_is_left_alone(name: str) -> None:
    refuse_misspelt([name])


def test_what_commands_read_is_known() -> None:
    environment = ["REDRESS_URL", "REDRESS_API_KEY", "REDRESS_HOME", "REDRESS_VERSION"]

    assert names_unknown(environment) == ["REDRESS_VERSION"]


def numbers() -> list[tuple[str, str, FieldInfo]]:
    return [
        (service, name, field)
        for service in SERVICES
        for settings in settings_of(service)
        for name, field in zip(names_of(settings), settings.model_fields.values(), strict=True)
        if {int, float} & {field.annotation, *get_args(field.annotation)}
    ]


@pytest.mark.parametrize(("service", "name", "field"), numbers())
def test_no_number_is_too_large_for_what_is_made_of_it(
    service: str, name: str, field: FieldInfo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "99999999999999999999")

    with pytest.raises(ConfigurationError, match=name):
        check_settings([service])


def test_a_file_of_keys_that_is_none_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "keys.json").write_text("{broken")
    monkeypatch.setenv("REDRESS_HOME", str(tmp_path))

    with pytest.raises(ConfigurationError, match="REDRESS_KEYS_FILE"):
        check_settings(["intake"])


def test_a_home_that_is_no_folder_is_not_called_a_wrong_file_of_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("REDRESS_HOME", str(tmp_path / "file" / "home"))

    check_settings(["intake"])


def test_every_service_has_its_settings_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDRESS_WEBHOOK_RETENTION_DAYS", "ever")

    check_settings(["intake", "intake-relay", "workflow", "analytics"])
    with pytest.raises(ConfigurationError, match="REDRESS_WEBHOOK_RETENTION_DAYS"):
        check_settings(["notification"])
