"""Policy and organisation files: what is refused, and with which words."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest
import yaml

from services.workflow_service.clocks.repository import read_policy
from services.workflow_service.organisation.repository import read_organisation
from services.workflow_service.settings import WorkflowSettings
from shared.kernel.errors import ConfigurationError
from shared.kernel.settings import load
from tests.unit.workflow.rules import RULES

POLICY = (files("services.workflow_service.clocks") / "policy.yaml").read_text(encoding="utf-8")
PEOPLE = (files("services.workflow_service.organisation") / "organisation.yaml").read_text(
    encoding="utf-8"
)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("3 working days, P4: 5", "0 working days, P4: 5", "a target of 0 cannot be met"),
        ("target: 48 hours", "target: soon", "'soon' is no target"),
        ("[50%, 80%]", "[50%, 180%]", "no share of the target"),
        ("version: 1", "verzion: 1", "version: Field required"),
        ("  follow_up:", "  followup:", "followup"),
    ],
)
def test_a_bad_policy_is_refused_with_line_and_reason(
    tmp_path: Path, old: str, new: str, reason: str
) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY.replace(old, new), encoding="utf-8")

    with pytest.raises(
        ConfigurationError, match=r"REDRESS_POLICY_FILE: policy.yaml, line \d+:"
    ) as no:
        read_policy(path)

    assert reason in no.value.detail


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("department: product, email: sun", "department: produkt, email: sun", "'produkt'"),
        ("id: sun.yue", "id: wang.min", "wang.min stands there twice"),
        (", email: sun.yue@example.com", "", "sun.yue cannot be told anything"),
        ("4: executive", "5: executive", "levels 1, 2, 3 and 4"),
        ("timezone: Asia/Shanghai", "timezone: Asia/Shanghigh", "'Asia/Shanghigh' is no time zone"),
        ("person: zheng.hao", "person: zheng.hoa", "there is nobody called 'zheng.hoa'"),
        ("deputy: daniel.smith", "deputy: daniel", "there is nobody called 'daniel'"),
        ("deputy: daniel.smith", "deputy: xu.ming", "xu.ming cannot be their own deputy"),
        ("deputy: daniel.smith", "deputy: he.ping", "circle: he.ping → xu.ming → he.ping"),
        ('["06:00-22:00"]', '["22:00-06:00"]', "'22:00-06:00' runs backward"),
        ('["06:00-22:00"]', '["06:00-12:00", "11:00-22:00"]', "windows of one day overlap"),
        ('mon-sun: ["06', 'sun-mon: ["06', "'sun-mon' runs backward"),
        ('["06:00-22:00"]', '["6-22"]', "'6-22' is no window"),
        ("{department: logistics, person", "{department: logistic, person", "'logistic'"),
        ("deputy: daniel.smith", "shift: late", "there is no shift 'late'"),
        (
            "deputy: daniel.smith",
            "absences: [{from: 2026-12-01, to: 2026-12-05}, {from: 2026-12-05, to: 2026-12-06}]",
            "absences of xu.ming overlap on 2026-12-05",
        ),
        (
            "deputy: daniel.smith",
            "absences: [{from: 2026-12-05, to: 2026-12-01}]",
            "from 2026-12-05 to 2026-12-01 runs backward",
        ),
        (
            'hours: {mon-sun: ["06:00-22:00"]}',
            "from: 2026-12-05 08:00, to: 2026-12-05 08:00",
            "runs backward",
        ),
        (', hours: {mon-sun: ["06:00-22:00"]}', "", "duty needs hours of the week, or from and to"),
    ],
)
def test_a_bad_organisation_is_refused_with_its_reason(
    tmp_path: Path, old: str, new: str, reason: str
) -> None:
    path = tmp_path / "organisation.yaml"
    path.write_text(PEOPLE.replace(old, new), encoding="utf-8")

    with pytest.raises(ConfigurationError, match="REDRESS_ORGANISATION_FILE") as refused:
        read_organisation(path)

    assert reason in refused.value.detail
    assert PEOPLE.count(old) == 1
    line = next(n for n, words in enumerate(PEOPLE.splitlines(), 1) if old in words)
    told = int(refused.value.detail.partition(", line ")[2].partition(":")[0])
    assert abs(told - line) <= 1


def test_a_department_that_is_always_on_duty_has_no_gap_in_its_roster(tmp_path: Path) -> None:
    path = tmp_path / "organisation.yaml"
    path.write_text(PEOPLE.replace('{sat-sun: ["00:00-24:00"]}', '{sat: ["00:00-24:00"]}'))

    with pytest.raises(ConfigurationError, match=r"line 7: .*nobody from sun 00:00 on"):
        read_organisation(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"REDRESS_POLICY_FILE: .*nowhere.yaml"):
        read_policy(tmp_path / "nowhere.yaml")


def test_wrong_working_hours_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDRESS_WORKING_HOURS", "09:00-12:00,11:00-18:00")

    with pytest.raises(ConfigurationError, match="REDRESS_WORKING_HOURS: windows must follow"):
        load(WorkflowSettings)


def test_a_category_goes_to_its_own_department_its_top_levels_or_the_default() -> None:
    organisation = RULES.organisation

    assert organisation.department_for("logistics.short") == "logistics"
    assert organisation.department_for("Heating") == "service"


def test_every_category_of_the_taxonomy_goes_to_a_department_with_an_owner() -> None:
    taxonomy = files("services.intake_service.triage") / "taxonomy.yaml"
    categories = yaml.safe_load(taxonomy.read_text(encoding="utf-8"))["categories"]
    codes = [f"{top}.{kind}" for top, found in categories.items() for kind in found["kinds"]]

    organisation = RULES.organisation

    assert set(categories) <= set(organisation.routing)
    assert {code for code in organisation.routing if "." in code} <= set(codes)
    assert all(organisation.route(code, complaint_id="c").owner for code in codes)


def test_a_department_without_a_leader_goes_up_to_the_default_ones() -> None:
    organisation = RULES.organisation

    leaders = {
        organisation.owner_at_level(1, department="compliance", complaint_id=f"complaint-{n}")
        for n in range(50)
    }

    assert leaders == {"chen.jing"}


def test_the_same_complaint_gets_the_same_owner_and_many_are_spread() -> None:
    route = RULES.organisation.route

    owners = [route("service.attitude", complaint_id=f"complaint-{n}").owner for n in range(300)]

    assert owners == [
        route("service.attitude", complaint_id=f"complaint-{n}").owner for n in range(300)
    ]
    assert min(owners.count(owner) for owner in set(owners)) > 60
