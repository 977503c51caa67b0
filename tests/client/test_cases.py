"""Files of cases: what is right passes, what is wrong is named, and golden cases can be kept as such files."""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from tariffs.client import Client
from tariffs.client.cases.case_check import check_case
from tariffs.client.cases.case_file import read_cases
from tariffs.client.errors import InvalidRequest
from tariffs.engine import law
from tests.client.conftest import Cli, scenario_text

PLUGIN = "tariffs.client.cases.pytest_plugin"
DATA = Path(law.__file__).parent / "data"
TOYS: dict[str, Any] = {"hts": "9503.00.0073", "origin": "CN", "date": "2025-02-10", "value": "10000"}
FORTY = scenario_text("op: set_rate, measures: {id: fl301, origins: [CN]}, from: 2026-12-01, rate: 40%")
FENT = {"measure": "fent_cn"}
AHEAD: dict[str, Any] = TOYS | {"date": "2026-12-05"}


def written(name: str, cases: list[dict[str, Any]] = [], tables: list[dict[str, Any]] = []) -> Path:  # noqa: B006
    """Write a file of cases; without an id they are named by their place."""
    path = Path(name)
    path.write_text(yaml.safe_dump({"schema": "tariffs.cases/v1", "cases": cases, "tables": tables}))
    return path


def first_sale(**fields: Any) -> dict[str, Any]:
    return {"options": {"first_sale": fields}}


def wrong(client: Client, path: Path) -> dict[str, tuple[str, ...]]:
    return {case.id: check_case(client, case).wrong for case in read_cases(path)}


@pytest.mark.parametrize(
    ("expect", "told"),
    [
        ({"assessed": "1000.01"}, "assessed: expected 1000.01, came 1000.00"),
        ({"owed": "1"}, "owed: expected 1, came 0.00"),
        ({"min": "9"}, "min: expected 9, came 1000.00"),
        ({"landed": "1"}, "landed total: expected 1, came 11034.64"),
        ({"headings": {"9903.01.20": "999"}}, "9903.01.20: expected 999, came 1000.00"),
        (
            {"headings": {"9903.01.24": "1000"}},
            "9903.01.24: expected 1000, came no such heading (9903.01.20, 9503.00.00)",
        ),
        ({"headings": {"9903.01.20": "uncharged"}}, "9903.01.20: expected uncharged, came 1000.00"),
        (
            {"headings": {"9903.88.16": "uncharged", "9903.01.24": "charged"}},
            "9903.01.24: expected charged, came no such heading",
        ),
        ({"layers": [{"amount": "1"}]}, "layer any amount: expected 1, came 0.00"),
        ({"options": {"zone": {}}, "best": {"saving": "1000"}}, "option zone: expected, came none ("),
        (first_sale(state="saves"), "option first_sale state: expected saves, came needs_fact"),
        (
            first_sale(missing_facts=[]),
            "option first_sale missing_facts: expected none, came first_sale_value",
        ),
        (first_sale(why="no such"), "option first_sale why: expected no such in it, came"),
        ({"best": {"saving": "1"}}, "best saving: expected 1, came 1000"),
        (
            {"layers": [{"heading": "9903.01.20", "amount": "1"}]},
            "layer 9903.01.20 amount: expected 1, came 1000.00",
        ),
        ({"layers": [{"measure": "none_such"}]}, "layer none_such: expected, came none"),
        ({"layers": [FENT | {"stat": "applied"}]}, "layer fent_cn: no field stat; known: measure,"),
        ({"layers": [FENT | {"rule": "x"}]}, "layer fent_cn rule: expected x, came fent_cn_10"),
        ({"layers": [FENT | {"why": "20%"}]}, "layer fent_cn why: expected 20% in it, came 10%"),
        ({"considered": [FENT | {"text": "9903.01.21"}]}, ""),
        ({"considered": [FENT | {"outcome": "ended"}]}, "considered fent_cn outcome: expected ended"),
        ({"prohibited": True}, "prohibited: expected true, came nothing"),
        ({"notes": ["NONE_SUCH"]}, "notes: expected NONE_SUCH, came none"),
        ({"without_notes": ["HTS_CODE_REPAIRED", "NONE_SUCH"]}, ""),
        ({"error": "ORIGIN_UNKNOWN"}, "error: expected ORIGIN_UNKNOWN, came none"),
        ({"assessed": "1000.00", "headings": {"9903.01.20": "1000.00"}}, ""),
    ],
)
def test_a_wrong_expectation_is_named(client: Client, expect: dict[str, Any], told: str) -> None:
    (found,) = wrong(client, written("one.yaml", [TOYS | {"expect": expect}])).values()
    assert [one[: len(told)] for one in found] == ([told] if told else [])


def test_known_differences_tolerances_and_expected_errors(client: Client) -> None:
    known, refused = TOYS | {"differs": "the broker rounds up"}, TOYS | {"origin": "XX"}
    cases = [known | {"expect": {"assessed": amount}} for amount in ("1001", "1000")]
    cases += [TOYS | {"tolerance": "0.05", "expect": {"assessed": "1000.05"}}]
    cases += [refused | {"expect": {"error": reason}} for reason in ("ORIGIN_UNKNOWN", "HTS_CODE_UNKNOWN")]
    off, gone, near, right, other = wrong(client, written("cases.yaml", cases)).values()
    assert (off, near, right) == ((), (), ())
    assert gone == ("expected to differ (the broker rounds up), came as expected",)
    assert other[0].startswith("error: expected HTS_CODE_UNKNOWN, came ORIGIN_UNKNOWN")


def test_a_case_names_a_scenario_of_the_library_a_file_or_its_own(client: Client) -> None:
    Path("own.yaml").write_text(FORTY)
    library = {"scenario": "rates-by-country", "parameters": {"cn": "40%"}, "date": "2027-01-11"}
    named: list[dict[str, Any]] = [library, {"scenario": "own.yaml"}, {"scenario": yaml.safe_load(FORTY)}]
    cases = [AHEAD | one | {"expect": {"assessed": "4000.00"}} for one in named]
    assert set(wrong(client, written("cases.yaml", cases)).values()) == {()}


def test_runs_over_tables_are_compared_by_row(client: Client) -> None:
    Path("trade.csv").write_text("hts,origin,customs_value\n9503000073,CN,10000\n9503000073,VN,5000\n")
    asked: dict[str, Any] = {"table": "trade.csv", "on": "2025-02-10", "response": "none"}
    asked |= {"by": ["origin"], "scenarios": ["base"]}
    groups = [{"origin": "CN", "duty": 1000}, {"origin": "VN", "duty": 0}]
    right = {"total": {"customs_value": 15000, "duty": 1000}, "groups": groups}
    groups = [{"origin": "CN", "duty": 1000.5}, {"origin": "MX", "duty": 0}, {"origin": "VN", "dutty": 0}]
    off = {"total": {"base": {"duty": 999}}, "groups": groups}
    tables = [asked | {"id": "right", "expect": right}, asked | {"id": "off", "expect": off}]
    found = wrong(client, written("tables.yaml", tables=tables))
    assert found["right"] == ()
    assert found["off"] == (
        "total base duty: expected 999, came 1000.0",
        "group CN duty: expected 1000.5, came 1000.0",
        "group MX: expected one row, came 0",
        "group VN dutty: expected 0, came no such column",
    )


def test_the_command_writes_junit_and_exits_with_one(server: str, cli: Cli) -> None:
    good = written("good.yaml", [TOYS | {"id": "good", "expect": {"assessed": "1000.00"}}])
    assert "1 of 1 cases are right" in cli.out(f"test {good} --target {server}")
    written("bad.yaml", [TOYS | {"id": "bad", "expect": {"assessed": "1"}}])
    Path("other.yaml").write_text("schema: tariffs.scenario/v1\n")
    document = cli.json("test . --junit junit.xml", 1)
    assert (document["wrong"], [one["id"] for one in document["cases"]]) == (1, ["bad", "good"])
    suites = ElementTree.parse("junit.xml").getroot()
    assert [one.get("failures") for one in suites] == ["1", "0"]
    assert [one.get("message") for one in suites.iter("failure")] == ["assessed: expected 1, came 1000.00"]


def test_two_laws_side_by_side_list_the_cases_that_move(cli: Cli) -> None:
    other = Path("law")
    shutil.copytree(DATA, other)
    rates = other / "measures" / "s301_fl.csv"
    text = rates.read_text(encoding="utf-8")
    assert "CN,China,,12.5%," in text
    rates.write_text(text.replace("CN,China,,12.5%,", "CN,China,,13.5%,"), encoding="utf-8")
    later = AHEAD | {"id": "later", "expect": {"assessed": "1250.00"}}
    path = written("cases.yaml", [later, TOYS | {"id": "same", "expect": {"assessed": "1000.00"}}])
    (moved,) = cli.json(f"test {path} --law {DATA} --against {other}")["moved"]
    amounts = (moved["before"]["assessed"], moved["after"]["assessed"])
    assert (moved["id"], amounts) == ("later", ("1350.00", "1250.00"))
    shown = cli.out(f"test {path} --law {other} --against {DATA}", 1)
    assert "assessed: expected 1250.00, came 1350.00" in shown
    assert shown.index("assessed 1250.00, owed 1250.00") < shown.index("assessed 1350.00, owed 1350.00")


TO_RECORD = """schema: tariffs.cases/v1
cases:
  # Kept as it is written.
  - {id: right, hts: 9503.00.0073, origin: CN, date: 2025-02-10, value: 10000, expect: {assessed: 1000}}
  - id: worked
    hts: 9503.00.0073
    origin: CN
    date: 2025-02-10
    value: 10000
    expect: {assessed: 1}
    cite: CSMS 63988468
  - id: new  # no expectations yet
    hts: 9503.00.0073
    origin: CN
    date: 2025-02-10
    value: 10000

  - {id: refused, hts: 9503.00.0073, origin: XX, value: 1, expect: {assessed: 1}}
  - id: moved
    hts: 9503.00.0073
    origin: CN
    date: 2025-02-10
    value: 10000
    expect:
      owed: 7
      headings: {9903.01.24: 5, 9903.01.20: ''}
      layers:
        - {measure: none_such}
        - {measure: fent_cn, state: exempt}
      notes: [NONE_SUCH]
      options: {first_sale: {state: saves}, none_such: {}}
tables:
  - {id: run, table: trade.csv, on: 2025-02-10, response: none, expect: {groups: [{origin: CN, duty: ''}, {origin: X}]}}
  - {id: new_run, table: trade.csv, on: 2025-02-10, response: none}
"""


def test_what_comes_is_recorded_in_place(cli: Cli) -> None:
    Path("trade.csv").write_text("hts,origin,customs_value\n9503000073,CN,10000\n")
    path = Path("cases.yaml")
    path.write_text(TO_RECORD, encoding="utf-8")
    document = cli.json(f"test {path} --record", 1)
    told = {case["id"]: case["wrong"] for case in document["cases"]}
    assert [one["id"] for one in document["recorded"]] == ["new", "refused", "moved", "run", "new_run"]
    assert (document["wrong"], told["new"]) == (2, ["expects nothing; give `expect`, or record what comes"])
    assert "owed: expected 7, came 0.00" in told["moved"]
    text = path.read_text(encoding="utf-8")
    assert text.startswith(TO_RECORD[: TO_RECORD.index("\n\n")])
    content = yaml.load(text, Loader=yaml.BaseLoader)
    expect = {case["id"]: case["expect"] for case in content["cases"] + content["tables"]}
    assert expect["new"]["headings"] == {"9903.01.20": "1000.00", "9503.00.00": "0.00"}
    assert expect["refused"] == {"error": "ORIGIN_UNKNOWN"}
    assert expect["moved"] == {
        "owed": "0.00",
        "headings": {"9903.01.20": "1000.00"},
        "layers": [FENT | {"state": "applied"}],
        "notes": [],
        "options": {"first_sale": {"state": "needs_fact"}},
    }
    assert expect["run"] == {"groups": [{"origin": "CN", "duty": "1000.0"}, {"origin": "X"}]}
    assert expect["new_run"] == {"total": {"base": {"duty": "1000.0", "duty_owed": "0.0"}}}
    # A person worked one of the two that are left from a source; the other asks for a row that does not exist.
    left = [case["id"] for case in cli.json(f"test {path}", 1)["cases"] if case["wrong"]]
    assert left == ["worked", "run"]


def test_an_exact_case_is_wrong_if_more_comes_or_reasons_go_on(client: Client) -> None:
    layer = FENT | {"why": "10%"}
    more = {"headings": {"9903.01.20": "1000.00"}, "layers": [layer], "considered": []}
    whole = {"layers": [{"measure": "s301_l4b"}, layer, {"measure": "mfn_col1"}]}
    cases = [TOYS | {"exact": "true", "expect": expect} for expect in (more, whole)]
    first, second = wrong(client, written("exact.yaml", cases)).values()
    assert [one.split(":")[0] for one in first] == ["headings", "layers", "considered"]
    assert first[0] == "headings: expected 9903.01.20, came 9903.01.20, 9503.00.00"
    assert [one.split(",")[0] for one in second] == ["layer fent_cn why: expected 10%"]


def test_pytest_collects_the_cases() -> None:
    good, bad = (
        {"id": name, "expect": {"assessed": amount}} for name, amount in (("good", "1000"), ("bad", "1"))
    )
    written("cases.yaml", [TOYS | good, TOYS | bad])
    is_installed = any(one.value == PLUGIN for one in entry_points(group="pytest11"))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    command += [*(() if is_installed else ("-p", PLUGIN)), "--tariffs", "."]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "assessed: expected 1, came 1000.00" in done.stdout
    assert "1 failed, 1 passed" in done.stdout


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "does not begin with"),
        ("cases: [\n", "is no YAML"),
        ("\n", "has no cases"),
        ("cases: [{id: a, hs: 1, expect: {assessed: 1}}]\n", "unknown key hs"),
        ("cases: [{id: a, expect: {}}]\n", "a expects nothing"),
        ("cases: [{id: a, expect: {asessed: 1}}]\n", "expects the unknown asessed"),
        ("cases: [{id: a, tolerance: x, expect: {owed: 1}}]\n", "tolerance of a"),
        ("cases: [{id: a, expect: {owed: 1}}, {id: a, expect: {owed: 1}}]\n", "two cases a"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(text: str, told: str) -> None:
    path = Path("cases.yaml")
    path.write_text(f"schema: tariffs.cases/v1\n{text}" if text else "schema: other\n")
    with pytest.raises(InvalidRequest, match=told):
        read_cases(path)
