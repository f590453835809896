"""What `deploy/` says agrees with the code: names of settings, processes, routes."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from deploy.gateway import CONFIG, render
from deploy.local.environment import of_process, read_env, settings_for
from deploy.local.layout import PORTS
from deploy.local.postgres import PostgresServer
from services import PROCESSES
from services.intake_service.channels.endpoints import router as imports_router
from shared.http.route_table import ROUTES, SITE, service_of
from shared.kernel.settings import PREFIX, RedressSettings
from tests.harness.databases import PostgresServerForTests

DEPLOY = Path(__file__).parents[2] / "deploy"


def compose() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    return document


def setting_names() -> set[str]:
    for path in DEPLOY.parent.glob("*/*/settings.py"):
        import_module(".".join(path.relative_to(DEPLOY.parent).with_suffix("").parts))
    classes = [RedressSettings]
    for known in classes:
        classes.extend(known.__subclasses__())
    return {f"{PREFIX}{field.upper()}" for known in classes for field in known.model_fields}


def test_the_gateway_was_written_from_the_route_table() -> None:
    written = CONFIG.read_text(encoding="utf-8")

    assert written == render(), "run `python -m deploy.gateway`"


@pytest.mark.parametrize("prefix", [path for path in ROUTES if "/internal" not in path])
def test_the_gateway_sends_a_path_to_the_service_that_owns_it(prefix: str) -> None:
    assert gateway_service(f"{prefix}/x") == service_of(f"{prefix}/x")
    assert gateway_service(prefix) == service_of(prefix)
    assert gateway_service(f"{prefix}-else") == "intake"
    assert service_of(f"{prefix}-else") == SITE


@pytest.mark.parametrize(
    "path",
    [
        "/v1/customers/0199/preferences",
        "/v1/customers/0199/preferences/x",
        "/v1/customers/0199/preferencesx",
        "/v1/customers/preferences",
        "/v1/customers//preferences",
        "/v1/customers/0199",
    ],
)
def test_gateway_and_dispatcher_agree_on_what_lies_within_a_customer(path: str) -> None:
    assert gateway_service(path) == service_of(path)


def gateway_service(path: str) -> str:
    rules = re.findall(r"^ {8}~(\S+) (\w+);$", CONFIG.read_text(encoding="utf-8"), re.MULTILINE)
    return next((service for pattern, service in rules if re.match(pattern, path)), "intake")


def test_files_to_be_imported_pass_the_gateway_at_any_length_as_they_are_sent() -> None:
    text = CONFIG.read_text(encoding="utf-8")
    found = re.search(r"location = (\S+) \{([^}]*)\}", text.replace("location = /metrics", ""))

    assert found is not None
    path, rules = found.groups()
    taken = imports_router(cast("Any", None), base_url="").routes
    assert path in {getattr(route, "path", None) for route in taken}
    assert "client_max_body_size 0;" in rules
    assert "proxy_request_buffering off;" in rules


def test_compose_sets_only_settings_that_exist() -> None:
    services = compose()["services"]
    named = {
        name
        for service in services.values()
        for name in service.get("environment", {})
        if name.startswith(PREFIX)
    }

    assert named
    assert named <= setting_names()


def test_example_files_set_only_settings_that_exist() -> None:
    named = {
        name
        for file in DEPLOY.glob("*example.env")
        for name in read_env(file)
        if name.startswith(PREFIX)
    }

    assert named <= setting_names()


def test_every_variable_that_compose_demands_is_in_the_example() -> None:
    text = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    demanded = set(re.findall(r"\$\{(\w+):[?-]", text))

    assert demanded <= set(read_env(DEPLOY / "example.env"))


def test_compose_runs_every_process() -> None:
    commands = [service.get("command", []) for service in compose()["services"].values()]
    served = [command[1] for command in commands if command[:1] == ["serve"]]

    assert sorted(served) == sorted(PROCESSES)


def test_prometheus_asks_every_process() -> None:
    scrape = yaml.safe_load((DEPLOY / "prometheus.yml").read_text(encoding="utf-8"))
    targets = [
        target
        for job in scrape["scrape_configs"]
        for group in job["static_configs"]
        for target in group["targets"]
    ]

    assert sorted(targets) == sorted(f"{process}:8000" for process in PROCESSES)


def test_alerts_ask_for_metrics_that_exist_and_prometheus_has_them() -> None:
    scrape = yaml.safe_load((DEPLOY / "prometheus.yml").read_text(encoding="utf-8"))
    mounted = [volume.split(":")[0] for volume in compose()["services"]["prometheus"]["volumes"]]
    code = "".join(
        path.read_text(encoding="utf-8")
        for folder in ("services", "shared")
        for path in (DEPLOY.parent / folder).rglob("*.py")
    )
    for name in scrape["rule_files"]:
        rules = yaml.safe_load((DEPLOY / name).read_text(encoding="utf-8"))
        asked = {
            metric
            for group in rules["groups"]
            for rule in group["rules"]
            for metric in re.findall(r"[a-z]+(?:_[a-z]+)+", rule["expr"])
        }

        assert f"./{name}" in mounted
        assert asked
        assert {metric for metric in asked if f'"{metric}"' not in code} == set()


def test_make_up_starts_every_process() -> None:
    assert set(PORTS) == set(PROCESSES)


def test_make_up_sets_only_settings_that_exist_and_keeps_secrets(
    postgres_server: PostgresServerForTests,
) -> None:
    server = postgres_server.local
    if server is None:
        pytest.skip("roles are not made on a PostgreSQL server that was given")
    first = settings_for({"REDRESS_SMTP_URL": "smtp://kept"}, postgres=server, kafka="k:1")

    second = settings_for(first, postgres=server, kafka="k:2")

    assert second == first | {"REDRESS_KAFKA_BOOTSTRAP": "k:2"}
    # No address answers everything there, and links that said so led nowhere.
    former = {"REDRESS_PUBLIC_URL": first["REDRESS_INTAKE_URL"]}
    assert settings_for(first | former, postgres=server, kafka="k:1") == first
    assert set(first) | set(of_process("analytics", 2)) <= setting_names()


def test_a_service_cannot_enter_the_database_of_another(
    postgres_server: PostgresServerForTests,
) -> None:
    server = postgres_server.local
    if server is None:
        pytest.skip("roles are not made on a PostgreSQL server that was given")
    settings = settings_for({}, postgres=server, kafka="k:1")
    as_intake = settings["REDRESS_INTAKE_DATABASE_URL"]

    allowed = may_connect(server, as_intake)
    foreign = may_connect(server, as_intake.rpartition("/")[0] + "/redress_workflow")

    assert allowed
    assert not foreign


def may_connect(server: PostgresServer, url: str) -> bool:
    role, database = url.partition("://")[2].partition(":")[0], url.rpartition("/")[2]
    return server.run(f"SELECT has_database_privilege('{role}', '{database}', 'CONNECT')") == "t"
