"""Policy and organisation files: what is refused, and with which words."""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest
import yaml

from services.workflow_service.clocks.domain.policy import Subject
from services.workflow_service.clocks.domain.target import Target
from services.workflow_service.clocks.repository import read_policy, read_policy_text
from services.workflow_service.organisation.repository import read_organisation
from services.workflow_service.settings import WorkflowSettings
from shared.events.words import CaseState, ClockKind
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
        ("assign: 15 minutes", "assign: 0 minutes", "a target of 0 cannot be met"),
        ("follow_up: 48 hours", "follow_up: soon", "'soon' is no target"),
        ("[50%, 80%]", "[50%, 180%]", "no share of the target"),
        ("[50%, 80%]", "[1 working hour before]", "they are those of the clock"),
        ("version: 3", "verzion: 3", "version: Field required"),
        ("  follow_up:", "  followup:", "followup"),
        ("      follow_up: 48 hours\n", "", "no target for follow_up"),
        ("{priority: P3}", "{}", "'p3' before it matches"),
        ("- name: p2", "- name: p1", "two rules are named 'p1'"),
        ("when: {priority: P1}", "when: {prioritty: P1}", "prioritty"),
        ("[awaiting_customer]", "[closed]", "clocks end in closed"),
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


FIRST = """
name: company
version: 1
warnings: [50%, 80%]
halved_for: {tiers: [vip]}
paused_while_awaiting_customer: [propose, resolve]
clocks:
  acknowledge: {target: 1 minute, warnings: []}
  assign: {target: 1 hour}
  first_reply: {targets: {P1: 1 hour, P2: 4 hours, P3: 24 hours, P4: 24 hours}}
  propose: {targets: {P1: 4 hours, P2: 24 hours, P3: 3 working days, P4: 5 working days}}
  resolve: {target: 10 working days}
  follow_up: {target: 48 hours}
"""


def test_a_policy_without_rules_gives_the_targets_it_always_gave() -> None:
    policy = read_policy_text(FIRST, name="company@1")

    subject = Subject(category="other", priority="P2", tier="vip", channel="web")
    line = policy.line_for(ClockKind.PROPOSE, subject)

    assert line is not None
    assert (line.target, line.halved) == (Target.parse("24 hours"), True)
    assert policy.line_for(ClockKind.NEXT_UPDATE, subject) is None
    assert policy.conduct_of(ClockKind.RESOLVE).pauses_in == (CaseState.AWAITING_CUSTOMER,)
    assert policy.conduct_of(ClockKind.FIRST_REPLY).pauses_in == ()


def test_the_first_rule_that_matches_and_names_the_clock_gives_the_target() -> None:
    safety = """
  - name: safety-in-shanghai
    when: {category: safety, region: CN-31, channel: [hotline, regulator]}
    targets: {resolve: 2 hours}
"""
    policy = read_policy_text(POLICY.replace("rules:\n", "rules:" + safety), name="own")
    here = Subject(
        category="safety.illness", priority="P1", tier="standard", channel="hotline", region="CN-31"
    )

    resolve = [
        policy.line_for(ClockKind.RESOLVE, subject)
        for subject in (here, replace(here, region="CN-11"), replace(here, category="safetynet"))
    ]
    propose = policy.line_for(ClockKind.PROPOSE, here)

    assert [line.rule for line in resolve if line] == ["safety-in-shanghai/resolve"] + [
        "p1/resolve"
    ] * 2
    assert propose is not None
    assert propose.rule == "p1/propose"
