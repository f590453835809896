"""The command line as people type it: what it prints, and how it says no."""

from __future__ import annotations

import csv
import gzip
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from deploy.local.ports import free_port
from services.intake_service.channels.service import OWN_MAPPINGS
from tests.harness.product import COMPLAINT, Product, event, eventually, somebody

CSV = """Creation_Date,Status,Completion_Date,Service_Request_Number,Nature_of_Violation
2011-03-01,Completed,2011-03-04,11-1,Standing water
2011-03-02,Open,,11-2,Garbage in yard
nonsense,Open,,11-3,Garbage in yard
"""


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """A product that these tests may stop and lock."""
    with Product.embedded(tmp_path_factory.mktemp("commands")) as product:
        yield product


def run(product: Product, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    port = str(product.ports["embedded"])
    address = {"REDRESS_PORT": port, "REDRESS_URL": product.urls["intake"], "COLUMNS": "400"}
    return subprocess.run(
        [sys.executable, "-m", "services", *arguments],
        env=os.environ | product.environment | address | settings,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def done(result: subprocess.CompletedProcess[str]) -> str:
    assert result.returncode == 0, result.stderr
    return result.stdout


def refused(result: subprocess.CompletedProcess[str]) -> str:
    assert result.returncode != 0
    assert len(result.stderr.strip().splitlines()) == 1, result.stderr
    return result.stderr


def test_demo_posts_complaints_whose_cases_open(own: Product) -> None:
    printed = done(run(own, "demo"))

    lines = printed.splitlines()
    assert len(lines) == 4
    number = lines[0].split()[0]
    assert eventually(lambda: own.case(number))["number"] == number


def test_import_prints_counts_and_keeps_what_it_rejects(own: Product, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text(CSV)

    printed = done(run(own, "import", str(file), "--mapping", "chicago-311"))
    again = done(run(own, "import", str(file), "--mapping", "chicago-311"))

    assert "3 rows read: 2 accepted, 0 existing, 1 rejected" in printed
    assert "3 rows read: 0 accepted, 2 existing, 1 rejected" in again
    rejects = own.request("GET", printed.rpartition(own.urls["intake"])[2].strip())
    assert "11-3" in rejects.text


def test_import_takes_a_workbook_and_tells_its_rows(own: Product, tmp_path: Path) -> None:
    file = tmp_path / "rows.xlsx"
    book = openpyxl.Workbook()
    for row in csv.reader(CSV.replace("11-", "12-").splitlines()):
        book.worksheets[0].append(row)
    book.worksheets[0]["A2"] = date(2011, 3, 1)
    book.save(file)

    # What a mapping says of text files does not hold for workbooks.
    mapping = tmp_path / "ours.yaml"
    theirs = (OWN_MAPPINGS / "chicago-311.yaml").read_text()
    mapping.write_text(f"encoding: utf-16\n{theirs}")

    printed = done(run(own, "import", str(file), "--mapping", str(mapping)))

    assert "3 rows read: 2 accepted, 0 existing, 1 rejected" in printed
    rejects = own.request("GET", printed.rpartition(own.urls["intake"])[2].strip())
    assert [row["line"] for row in csv.DictReader(rejects.text.splitlines())] == ["4"]


def test_import_takes_another_encoding(own: Product, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    header = "留言编号,留言用户,留言主题,留言时间,留言详情\n"
    file.write_text(f"{header}g1,U1,少了两件,2019-04-25,周三收到的订单\n", encoding="gb18030")

    refusal = refused(run(own, "import", str(file), "--mapping", "zh-messages"))
    assert "--encoding gb18030" in refusal
    again = ("import", str(file), "--mapping", "zh-messages", "--encoding", "gb18030")
    assert "1 accepted" in done(run(own, *again))


@pytest.mark.parametrize(
    "arguments",
    [
        ("import", "/nowhere.csv", "--mapping", "cfpb"),
        ("import", __file__, "--mapping", "unheard-of"),
        ("import", __file__, "--mapping", "./nowhere.yaml"),
        ("import", __file__, "--mapping", "cfpb", "--encoding", "klingon"),
        ("import", __file__, "--mapping", "cfpb", "--sheet", "one"),
        ("dead-letters", "show", "workflow", "999999"),
        ("dead-letters", "retry", "warehouse", "1"),
        ("keys", "revoke", "k_none"),
        ("keys", "create", "--role", "boss"),
        ("events", "tail", "--topic", "gossip"),
        ("serve", "warehouse"),
        ("serve", "workflow"),
        ("run",),
        ("migrate",),
        ("sing",),
    ],
    ids=" ".join,
)
def test_what_cannot_be_done_is_said_in_one_line(own: Product, arguments: tuple[str, ...]) -> None:
    assert refused(run(own, *arguments)).startswith("redress: ")


@pytest.mark.parametrize("arguments", [(), ("keys",), ("dead-letters",)])
def test_without_a_command_help_is_the_answer(own: Product, arguments: tuple[str, ...]) -> None:
    result = run(own, *arguments)

    assert result.returncode == 2
    assert "Usage:" in result.stdout
    assert not result.stderr


def test_that_there_are_no_dead_letters_is_said(own: Product) -> None:
    assert done(run(own, "dead-letters", "list")) == "Nothing is parked or dead.\n"


def test_events_tail_prints_the_history_beside_the_running_product(own: Product) -> None:
    complaint = own.post("/v1/complaints", COMPLAINT | {"customer": somebody()})
    eventually(lambda: own.case(complaint["id"]))

    printed = done(run(own, "events", "tail", "--from-start", "--no-follow"))

    events: list[dict[str, Any]] = [json.loads(line) for line in printed.splitlines()]
    told = [e["ce_type"] for e in events if e["ce_subject"] == complaint["id"]]
    assert told[:2] == ["ComplaintReceived", "CaseOpened"]


def test_rebuild_ends_with_the_same_answers(own: Product) -> None:
    question = "/v1/analytics/heatmap?rows=category&columns=channel"
    own.post("/v1/complaints", COMPLAINT | {"customer": somebody()})
    eventually(lambda: own.get(question)["total"], what="a complaint is counted")
    before = own.get(question)

    done(run(own, "rebuild", "analytics"))

    after = own.get(question)
    assert {**after, "as_of": None} == {**before, "as_of": None}


def test_a_packed_file_that_ends_too_early_is_named(own: Product, tmp_path: Path) -> None:
    file = tmp_path / "cut.csv.gz"
    file.write_bytes(gzip.compress(CSV.encode())[:-12])

    refusal = refused(run(own, "import", str(file), "--mapping", "chicago-311"))

    assert f"{file}: cannot be read on" in refusal


def test_commands_find_the_product_by_its_settings(own: Product) -> None:
    result = run(own, "rebuild", "analytics", REDRESS_URL="")

    assert "Rebuilt" in done(result)


def test_figures_of_a_service_that_is_away_are_not_thrown_away(
    own: Product, tmp_path: Path
) -> None:
    figures = tmp_path / "analytics.duckdb"
    figures.write_bytes(b"not ours alone")
    port = free_port()

    result = run(
        own,
        *("rebuild", "analytics"),
        REDRESS_URL="",
        REDRESS_KAFKA_BOOTSTRAP=f"127.0.0.1:{port}",
        REDRESS_ANALYTICS_URL=f"http://127.0.0.1:{port}",
        REDRESS_ANALYTICS_FILE=str(figures),
    )

    assert f"nothing answers at http://127.0.0.1:{port}" in refused(result)
    assert figures.exists()


def test_rebuilding_at_rest_throws_the_copies_away_too(own: Product, tmp_path: Path) -> None:
    copy = tmp_path / "analytics.duckdb.copies" / "20261130T120000" / "analytics.duckdb"
    copy.parent.mkdir(parents=True)
    figures = tmp_path / "analytics.duckdb"
    for each in (figures, copy):
        each.write_bytes(b"old")
    nobody = f"http://127.0.0.1:{free_port()}"

    result = run(own, "rebuild", "analytics", REDRESS_URL=nobody, REDRESS_HOME=str(tmp_path))

    assert "the next start replays the log" in done(result)
    assert not figures.exists()
    assert not copy.parent.parent.exists()


def test_doctor_is_content_with_a_product_that_is_well(own: Product) -> None:
    printed = done(run(own, "doctor"))

    assert "MEND" not in printed
    assert f"ready at {own.urls['intake']}" in printed


def test_doctor_names_what_is_to_be_mended(own: Product) -> None:
    nobody = f"postgresql://nobody@127.0.0.1:{free_port()}/none"

    result = run(own, "doctor", REDRESS_WORKFLOW_DATABASE_URL=nobody)

    assert result.returncode == 1
    assert "MEND  workflow database" in result.stdout


def test_doctor_names_a_setting_that_is_wrong(own: Product) -> None:
    result = run(own, "doctor", REDRESS_MAIL_FROM="nobody", REDRESS_VERSION="3")

    assert result.returncode == 1
    assert "MEND  settings: REDRESS_MAIL_FROM" in result.stdout


@pytest.mark.parametrize(
    ("name", "value"), [("REDRESS_SMTP_URL", "nowhere"), ("REDRESS_SMTP_ULR", "smtp://mail")]
)
def test_a_wrong_setting_stops_the_start_before_a_home_is_made(
    name: str, value: str, tmp_path: Path
) -> None:
    home = tmp_path / "home"

    result = run(Product.embedded(home), "run", **{name: value})

    assert name in refused(result)
    assert not home.exists()


def test_a_file_that_is_wrong_stops_the_start_before_databases_are_upgraded(tmp_path: Path) -> None:
    product = Product.embedded(tmp_path)
    done(run(product, "migrate"))
    make_older(tmp_path / "notification.db")

    result = run(product, "run", REDRESS_ROUTING_FILE=str(tmp_path / "absent.yaml"))

    assert "REDRESS_ROUTING_FILE" in refused(result)
    assert revision(tmp_path / "notification.db") == "0001"


def make_older(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE alembic_version_notification SET version_num = '0001'")


def revision(database: Path) -> str:
    with closing(sqlite3.connect(database)) as connection:
        found = connection.execute("SELECT version_num FROM alembic_version_notification")
        return str(found.fetchone()[0])


def test_dead_letters_are_seen_and_dropped_while_running_and_at_rest(own: Product) -> None:
    complaint = own.post("/v1/complaints", COMPLAINT | {"customer": somebody()})
    eventually(lambda: own.case(complaint["id"]))
    own.publish(event(complaint, sequence=2, body=b'{"broken'))
    path = "/v1/internal/workflow/dead-letters"
    letter = eventually(
        lambda: [m for m in own.get(path)["items"] if m["complaint_id"] == complaint["id"]]
    )[0]

    running = done(run(own, "dead-letters", "list"))
    own.stop()
    at_rest = done(run(own, "dead-letters", "list"))
    shown = json.loads(done(run(own, "dead-letters", "show", "workflow", str(letter["id"]))))
    done(run(own, "dead-letters", "drop", "workflow", str(letter["id"])))
    left = done(run(own, "dead-letters", "list"))
    own.start()

    assert complaint["id"] in running
    assert complaint["id"] in at_rest
    assert "broken" in shown["data"]
    assert not [
        line for line in left.splitlines() if "workflow" in line and complaint["id"] in line
    ]


def test_a_key_locks_the_door_until_it_is_shown(own: Product) -> None:
    secret = done(run(own, "keys", "create", "--role", "admin", "--name", "ops")).strip()

    eventually(lambda: own.request("GET", "/v1/cases").status_code == 401, seconds=5)
    locked = refused(run(own, "dead-letters", "list"))
    opened = run(own, "dead-letters", "list", REDRESS_API_KEY=secret)
    listed = done(run(own, "keys", "list"))

    assert "API key" in locked
    assert opened.returncode == 0
    assert "ops" in listed
    assert secret not in listed
