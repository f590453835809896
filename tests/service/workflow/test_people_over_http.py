"""The organisation over HTTP, and how many open cases its people have."""

from __future__ import annotations

from datetime import timedelta

from services.workflow_service.cases.repository.loads import open_loads
from services.workflow_service.cases.service.loads import COUNTED_EVERY, Loads
from shared.http.access import Role
from tests.service.workflow.conftest import START, Workflow


async def test_the_organisation_tells_who_is_there_and_who_is_on_duty(workflow: Workflow) -> None:
    found = (await workflow.http.get("/v1/organisation")).json()

    departments = {one["id"]: one for one in found["departments"]}
    people = {one["id"]: one for one in found["people"]}
    assert found["as_of"] == "2026-11-23T04:00:00Z"
    assert (found["on_duty"], found["on_duty_for_emergencies"]) == ("chen.jing", "tang.wei")
    assert departments["logistics"]["on_duty"] == "zheng.hao"
    assert departments["service"]["always_on_duty"] is True
    assert people["li.na"]["present"] is True
    assert people["li.na"]["stood_in_by"] is None
    assert people["li.na"]["deputy"] == "zheng.hao"
    assert people["emma.jones"]["languages"] == ["en", "zh"]


async def test_only_who_may_see_contact_details_learns_how_to_reach_people(
    workflow: Workflow,
) -> None:
    answers = {}
    for role in (Role.INTEGRATION, Role.ADMIN):
        secret = workflow.keys.create(role=role, name=role.value)
        bearer = {"Authorization": f"Bearer {secret}"}
        answers[role] = await workflow.http.get("/v1/organisation", headers=bearer)

    assert {answer.status_code for answer in answers.values()} == {200}
    assert "@example.com" not in answers[Role.INTEGRATION].text
    assert "li.na@example.com" in answers[Role.ADMIN].text


async def test_open_cases_are_counted_by_owner(workflow: Workflow) -> None:
    for _ in range(3):
        await workflow.open(category="logistics.short")
    closed = await workflow.open(category="logistics.short")
    await workflow.act(closed, "reject", reason="unfounded")
    await workflow.open(category="billing.overcharged")

    async with workflow.desk.database.read() as connection:
        counted = await open_loads(connection, ["li.na", "he.ping", "nobody"])

    assert counted == {"li.na": 3, "he.ping": 1, "nobody": 0}


async def test_open_cases_are_counted_by_their_index(workflow: Workflow) -> None:
    if workflow.desk.database.dialect == "postgresql":
        return  # it chooses by the size of the table; the condition is compared the same way

    async with workflow.desk.database.read() as connection:
        plan = await connection.exec_driver_sql(
            "EXPLAIN QUERY PLAN SELECT 1 FROM cases WHERE owner = 'li.na' AND state IN "
            "('assigned', 'awaiting_customer', 'executing', 'investigating', 'proposed',"
            " 'received') LIMIT 1000"
        )

    assert "ix_cases_open_owner" in str(plan.all())


async def test_loads_are_counted_now_and_then_and_counted_up_in_between(
    workflow: Workflow,
) -> None:
    await workflow.open(category="logistics.short")
    loads = Loads()

    async with workflow.desk.database.read() as connection:
        first = await loads.current(connection, ["li.na"], now=START)
        first["li.na"] += 1
        soon = dict(await loads.current(connection, ["li.na"], now=START + timedelta(seconds=1)))
        joined = dict(await loads.current(connection, ["li.na", "he.ping"], now=START))
        later = dict(await loads.current(connection, ["li.na"], now=START + COUNTED_EVERY))
        first["li.na"] += 7
        back = dict(await loads.current(connection, ["li.na"], now=START - timedelta(hours=1)))

    assert soon == {"li.na": 2}
    assert joined == {"li.na": 1, "he.ping": 0}
    assert later == {"li.na": 1}
    assert back == {"li.na": 1}
