"""The command line: exit codes with one document, errors here and there alike, results, lists, help and the bench."""

from __future__ import annotations

import importlib
import json
import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tariffs.bench import report
from tariffs.bench.measure import Result, Sample, Skipped
from tariffs.client.cli.__main__ import main, run
from tariffs.client.cli.app import SUMMARIES
from tariffs.client.cli.option_names import in_options
from tariffs.v1 import scenario_service_pb2 as scenario_pb
from tests.client.conftest import Cli, goods
from tests.client.fakes import check_answer, fake_server, refuse, toy_answer

TOY = ("duty", "9503.00.0073", "--origin", "CN", "--value", "10000")
TOY_WORDS = " ".join(TOY)
RATES = "t.csv -s rates-by-country --response none"
SEEK = f"seek {RATES} --vary cn=0%:5%"
SOYBEANS = "duty 1201.90 --origin US --value 1 --local --direction"
JANUARY = "--start 2025-01-01 --end 2025-01-02"
INVALID = "REQUEST_INVALID"


@pytest.mark.parametrize(
    ("words", "expected", "reason", "message"),
    [
        ("duty", 2, INVALID, "requires HTS"),
        (f"{TOY_WORDS} --colour red", 2, INVALID, "No such option: --colour"),
        ("nonsense", 2, INVALID, "No such command 'nonsense'"),
        (f"{TOY_WORDS} --claim usmca_share", 2, INVALID, "is not NAME=VALUE"),
        (f"{TOY_WORDS} --claim donation=1 --claim donation=0", 2, INVALID, "given twice"),
        (f"{TOY_WORDS} --local --target x:1", 2, INVALID, "cannot be combined"),
        (f"{TOY_WORDS} --mode bicycle", 2, INVALID, "mode is 'bicycle'"),
        (f"timeline {RATES} --start 2025-01-02 --end 2025-01-01 --local", 1, "ENTRY_DATE_INVALID", "ends on"),
        (f"{TOY_WORDS} --switch none=such", 2, "SWITCH_UNKNOWN", "no switch 'none'"),
        ("impact --response gravity", 2, "PARAMETER_INVALID", "response is 'gravity'"),
        ("impact -o out.docx", 2, INVALID, "Cannot write"),
        ("impact none-such.csv", 2, "TABLE_UNREADABLE", "none-such.csv cannot be read: no such file"),
        ("impact --by colour", 2, "GROUP_UNKNOWN", "by 'colour'"),
        ("table check none-such.csv", 2, "TABLE_UNREADABLE", "none-such.csv cannot be read: no such file"),
        ("data import hts none-such.csv -o x.parquet", 2, "TABLE_UNREADABLE", "read: no such file"),
        ("data import prices t.csv -o x.parquet", 2, INVALID, "kind 'prices'"),
        ("data import hts t.csv --mapping ace -o x.parquet", 2, INVALID, "takes no mapping"),
        ("duty --entries t.csv --origin CN", 2, INVALID, "--entries cannot be combined"),
        ("duty --entries t.csv --view page", 2, INVALID, "--view is 'page'"),
        ("duty --entries missing.csv", 2, "TABLE_UNREADABLE", "missing.csv cannot be read"),
        ("duty --entries t.csv --direction export --local", 2, INVALID, "is for imports"),
        ("duty --entries t.csv --ordinary-rate 3% --local", 2, INVALID, "--entries cannot be combined"),
        ("impact t.csv -s base -s base --local", 2, INVALID, "have the id 'base'"),
        (f"{SOYBEANS} port_call", 2, INVALID, "is 'port_call'"),
        (f"{SOYBEANS} export --charge other=1", 2, INVALID, "other_charges apply"),
        ("impact --direction export --to ZZ --local", 2, INVALID, "no market 'ZZ'"),
        ("impact --to CN --local", 2, INVALID, "no market 'CN' of imports"),
        ("impact t.csv --direction export --local", 2, "BASELINE_REQUIRED", "needs the day"),
        (f"timeline {JANUARY} --direction sideways --local", 2, INVALID, "'sideways'"),
        ("impact --both --direction export --local", 2, INVALID, "takes no --direction"),
        ("impact --both --detach --local", 2, INVALID, "cannot be detached"),
        ("impact --exports out.csv --local", 2, INVALID, "second table"),
        (f"sweep {RATES}", 2, INVALID, "needs either values"),
        (f"sweep {RATES} --vary cn=0%:100%:0.0001%", 2, "PARAMETER_INVALID", "1,000,001 points"),
        (f"sweep {RATES} --vary cn=5% --vary cn=6%", 2, INVALID, "given twice"),
        (f"sweep {RATES} --vary cn=5% --top 0", 2, INVALID, "'--top'"),
        (f"sweep {RATES} --vary cn=5% -o rows.docx", 2, INVALID, "Cannot write"),
        (f"sweep {RATES} --vary cn=5% --detach --local", 2, INVALID, "need a server"),
        (f"seek {RATES} --vary cn=5% --target duty=1", 2, INVALID, "is not NAME=LOW:HIGH"),
        (SEEK, 2, INVALID, "Missing option '--target'"),
        (f"{SEEK} --target localhost:1", 2, INVALID, "given as localhost:1"),
        (f"{SEEK} --target duty=much", 2, INVALID, "is not a number"),
        (f"{SEEK} --target duty=1 --target landed=1", 2, INVALID, "duty=1, landed=1"),
        (f"{TOY_WORDS} -s none-such", 4, "SCENARIO_NOT_FOUND", "no scenario 'none-such'"),
        (f"{TOY_WORDS} -s broken.yaml", 4, "SCENARIO_SYNTAX", "scenario:3:1"),
        (f"{TOY_WORDS} -s missing.yaml", 4, "SCENARIO_NOT_FOUND", "missing.yaml cannot be read"),
        ("scenario show none-such", 4, "SCENARIO_NOT_FOUND", "no scenario 'none-such'"),
        ("law show none-such", 4, "MEASURE_NOT_FOUND", "no measure 'none-such'"),
    ],
)
def test_wrong_usage_and_laws_exit_with_one_document(
    words: str, expected: int, reason: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("broken.yaml").write_text("schema: tariffs.scenario/v1\nid: [\n")
    goods(("9503.00.0073", "CN", 100)).write_csv("t.csv")
    assert run([*words.split(), "--json"]) == expected
    printed = capsys.readouterr()
    document, said = json.loads(printed.out), printed.err
    assert set(document["error"]) == {"reason", "message", "field", "fix", "metadata"}
    assert document["error"]["reason"] == reason
    assert message in document["error"]["message"]
    assert f"{reason}: {document['error']['message']}" in said
    assert document["error"]["fix"]
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("hts", "origin", "value", "day", "reason"),
    [
        ("95", "CN", "1", "2025-05-20", "HTS_CODE_MALFORMED"),
        ("9999.99.9999", "CN", "1", "2025-05-20", "HTS_CODE_UNKNOWN"),
        ("9503.00.0073", "XX", "1", "2025-05-20", "ORIGIN_UNKNOWN"),
        ("9503.00.0073", "EU", "1", "2025-05-20", "ORIGIN_UNKNOWN"),
        ("9503.00.0073", "CN", "-1", "2025-05-20", "CUSTOMS_VALUE_INVALID"),
        ("9503.00.0073", "CN", "much", "2025-05-20", "CUSTOMS_VALUE_INVALID"),
        ("9503.00.0073", "CN", "1", "2019-05-20", "ENTRY_DATE_OUT_OF_COVERAGE"),
        ("9503.00.0073", "CN", "1", "yesterday", "ENTRY_DATE_INVALID"),
    ],
)
def test_a_refused_line_exits_1_with_its_reason(
    cli: Cli, server: str, hts: str, origin: str, value: str, day: str, reason: str
) -> None:
    words = f"duty {hts} --origin {origin} --value {value} --date {day}"
    here, there = (cli.json(f"{words} {way}", 1)["error"] for way in ("--local", f"--target {server}"))
    assert here["reason"] == there["reason"] == reason
    assert reason in cli.err(f"{words} --local", 1)
    assert here["message"] == there["message"]


def test_no_server_exits_3(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TARIFFS_TARGET", "127.0.0.1:1")
    assert cli.json(TOY_WORDS, 3)["error"]["reason"] == "SERVER_UNAVAILABLE"
    cli.out(f"{TOY_WORDS} --local")
    with fake_server() as fake:
        fake.answers["CalculateDuty"] = refuse("INTERNAL", "ENGINE_INVARIANT", "Sorry.", request_id="r7")
        assert "r7" in cli.err(f"{TOY_WORDS} --target {fake.target}", 3)


def test_a_missing_extra_is_one_command(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "tariffs.client.cli.app", raising=False)
    monkeypatch.setitem(sys.modules, "typer", None)
    assert "pip install 'tariffs[cli]'" in cli.err(["law", "measures"], 3)


def test_local_without_the_engine_is_one_command(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # Modules that are imported again set themselves on their packages; the undo must put the former ones back.
    for package in ("engine", "service"):
        if hasattr(sys.modules["tariffs"], package):
            monkeypatch.setattr(f"tariffs.{package}", sys.modules[f"tariffs.{package}"])
    monkeypatch.delitem(sys.modules, "tariffs.service.local", raising=False)
    for name in [name for name in sys.modules if name.startswith(("tariffs.service", "tariffs.engine"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "yaml", None)
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))  # without a snapshot the law is read
    assert "pip install 'tariffs[server]'" in cli.err([*TOY, "--local"], 3)


def test_fixes_name_options_where_python_names_arguments() -> None:
    fixes = {
        "Use target= or TARIFFS_TARGET, or Client.local().": "Use --target or TARIFFS_TARGET, or --local.",
        'Use mapping="ace".': "Use --mapping ace.",
        "Give points such as cn=20%.": "Give points such as cn=20%.",
        'Day numbers need date_format="excel".': "Day numbers need --date-format excel.",
        'Give vary={"cn": "0%:50%:1%"} or points=.': "Give --vary cn=0%:50%:1% or --points FILE.",
        'Give baseline=DAY, or response="none".': "Give --baseline DAY, or --response none.",
        "Give the call more time with timeout=.": "Ask for less at once; a run goes on by itself with --detach.",
    }
    assert {fix: in_options(fix) for fix in fixes} == fixes


def test_the_entry_point_exits_with_the_code(cli: Cli, capsys: pytest.CaptureFixture[str]) -> None:
    assert "Usage" in cli.out([], 2)
    with pytest.raises(SystemExit) as caught:
        main(["nonsense"])
    assert caught.value.code == 2
    assert "No such command" in capsys.readouterr().err


def test_a_line_for_people_shows_layers_and_sums(cli: Cli) -> None:
    parts = ["IEEPA, China and Hong Kong, fentanyl", "9903.01.24", "10 %", "assessed 1,000.00", "owed 0.00"]
    with fake_server() as fake:
        fake.answers["CalculateDuty"] = toy_answer
        said = cli.out([*TOY, "--target", fake.target])
    assert [part for part in [*parts, "11,034.64", "not a ruling"] if part not in said] == []


def test_problems_are_printed_as_compilers_do(cli: Cli) -> None:
    facts: dict[str, Any] = {"path": "changes[0]", "line": 3, "column": 5, "message": "m", "fix": ""}
    facts["reason"] = "NOT_MODELLED"
    warning = scenario_pb.Problem(**facts, severity=scenario_pb.SEVERITY_WARNING)
    with fake_server() as fake:
        fake.answers["CheckScenario"] = check_answer(warning)
        words = f"scenario check base --target {fake.target}"
        assert "base:3:5: warning: changes[0]: m [NOT_MODELLED]" in cli.out(words)
        document = cli.json(f"{words} --strict", 4)
    assert not document["ok"]
    assert document["problems"] == [facts | {"severity": "warning"}]
    document = cli.json("scenario check truce-lapses")
    assert document["ok"]
    assert "SAME_AS_BASE" in {problem["reason"] for problem in document["problems"]}


def test_the_library_the_measures_and_the_switches_are_listed_and_shown(cli: Cli) -> None:
    listed = cli.json("scenario list")["scenarios"]
    assert {frozenset(row) for row in listed} == {frozenset({"id", "title", "basis", "digest"})}
    text = cli.out("scenario show truce-lapses")
    Path("own.yaml").write_text(text)
    assert cli.json("scenario check own.yaml")["ok"]
    assert cli.out("scenario show own.yaml") == text
    measures = cli.json("law measures --authority ieepa")["measures"]
    assert "fent_cn" in {row["id"] for row in measures}
    assert all(row["authority"].startswith("ieepa") for row in measures)
    assert "truce_extension" in {row["id"] for row in cli.json("law switches")["switches"]}
    shown = {"law measures": "not modelled yet", "law switches": "truce_extension", "scenario list": "base"}
    assert [words for words, said in shown.items() if said not in cli.out(words)] == []


def test_bad_rows_are_refused_one_by_one(cli: Cli, server: str) -> None:
    rows = [["9503.00.0073", "CN", "100", str(row)] for row in range(1000)]
    rows[10][0], rows[20][1], rows[30][2] = "abc", "XX", "-4"
    goods(*map(tuple, rows), more=("mine",)).write_csv("bad.csv")
    words = "impact bad.csv --baseline 2025-01-01 --on 2025-05-20"
    here = cli.json(f"{words} --local", 1)
    assert here == cli.json(f"{words} --target {server}", 1)
    refused = here["refused"]
    assert (refused["count"], refused["path"]) == (3, "bad-refused.csv")
    places = [(10, "hts"), (20, "origin"), (30, "customs_value")]
    assert [(row["row"], row["column"]) for row in refused["rows"]] == places
    assert pl.read_csv("bad-refused.csv").height == 3
    total = here["scenarios"][0]["total"]
    assert total["customs_value"] == 99_700.0
    cli.out(f"{words} --local -o groups.parquet --lines lines.csv", 1)
    assert pl.read_parquet("groups.parquet")["duty"].sum() == pytest.approx(total["duty"])
    assert pl.read_csv("lines.csv")["mine"].to_list()[9:11] == [9, 11]


def test_a_reader_that_leaves_early_is_no_failure(cli: Cli) -> None:
    command = f"{sys.executable} -m tariffs.client.cli law measures | head -n 1 > /dev/null; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=300, check=False)
    assert (done.stdout.strip(), done.stderr) == ("0", "")


PANELS = ["Question", "Trade response", "Table", "Output", "Server"]
FILES = (".csv", ".yaml", ".parquet")
EXAMPLES = [
    words
    for verb in ("duty", "impact", "timeline", "sweep", "seek")
    for words in map(shlex.split, importlib.import_module(f"tariffs.client.cli.{verb}").EXAMPLES.splitlines())
    if not any(word.endswith(FILES) for word in words)
]
PRINTED_ONLY = ("--report", "--draws")
Asked = list[tuple[str, tuple[str, ...]]]


@pytest.fixture(autouse=True)
def _a_hundred_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")


@pytest.mark.parametrize("verb", [*SUMMARIES, "law lint"])
def test_a_page_is_short_and_its_options_stand_in_groups(verb: str, cli: Cli) -> None:
    lines = cli.out(f"{verb} --help").splitlines()
    assert not [line for line in lines if "[bold]" in line]
    assert len(lines) <= (90 if verb == "impact" else 60)
    commands = [line for line in lines if line.startswith("  tariffs ")]
    assert max(len(line) for line in lines if line not in commands) <= 100
    if verb in {"impact", "timeline", "sweep", "seek"}:
        assert [line for line in lines if line in PANELS] == PANELS
        text = " ".join(" ".join(lines).split())
        assert "path: every change at its own age. Default: path." in text
        assert "Part of the mean rise of prices by duties" in text
        assert "At 0 the exchange rate stays" not in text


def told(cli: Cli, words: list[str]) -> Any:
    kept = [word for at, word in enumerate(words) if not {word, words[at - 1]} & {*PRINTED_ONLY}]
    # The duty does not depend on the response, and the path of a year takes ten seconds.
    kept += ["--response", "none"] if "timeline" in words else []
    return cli.json([*kept[1:], "--local", "--json"])


@pytest.mark.parametrize("words", EXAMPLES, ids=" ".join)
def test_an_example_changes_something(words: list[str], cli: Cli) -> None:
    document = told(cli, words)
    verb = words[1]
    if verb == "duty":
        without = words[: words.index("-s")] if "-s" in words else []
        assert document["assessed"] != (told(cli, without)["assessed"] if without else "0")
    elif verb == "seek":
        assert document["roots"]
    else:
        assert max(len(set(duties)) for duties in duties_of(document)) > 1


def duties_of(document: Any) -> list[list[float]]:
    """Total duty of each scenario or point, of each side of a run over both."""
    if "imports" in document:
        return [duties for side in ("imports", "exports") for duties in duties_of(document[side])]
    if "points" in document:
        return [[total["duty"] for total in document["totals"]]]
    totals = [one.get("total") or one["average_total"][0] for one in document["scenarios"]]
    return [[total["duty"] for total in totals]]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """Sizes and rows of a bench that is asked for; made up are one row met, one far below and one skipped."""
    calls: Asked = []

    def run_bench(size: str, names: Sequence[str], progress: Any) -> report.Report:
        calls.append((size, tuple(names)))
        static, ratios = report.ROWS["quick"][0], {"fast": 0.5, "slow": 3.0}
        rows = {
            replace(static, name=name, title=f"row {name}", rival="a join"): ratios[name] for name in ratios
        }
        results = tuple(Result(row, (Sample(ratio, 60.0, 120.0),)) for row, ratio in rows.items())
        return report.Report(report.machine_facts(), results, (Skipped("duck", "absent", "pip install x"),))

    monkeypatch.setattr(report, "run_bench", run_bench)
    return calls


def test_a_bench_is_a_document_a_table_or_a_page(asked: Asked, cli: Cli) -> None:
    document = cli.json(["bench", "--quick", "--json"])
    assert document.keys() == {"machine", "rows", "skipped"}
    fast, slow = document["rows"]
    found = [fast[name] for name in ("measured", "target", "met", "runs", "spread")]
    assert found == [0.5, 1, True, 1, 0]
    assert (slow["name"], slow["met"], slow["milliseconds"]) == ("slow", False, 60.0)
    assert document["skipped"] == [{"name": "duck", "reason": "absent", "fix": "pip install x"}]
    shown = cli.out(["bench", "--full", "--row", "fast", "--row", "slow"])
    for part in ("row slow", "<= 1", "not measured: duck: absent (pip install x)"):
        assert part in shown
    page = Path("speed.md")
    page.write_text("<!-- bench -->\n<!-- /bench -->\n", encoding="utf-8")
    assert run(["bench", "--page", str(page)]) == 0
    assert "| row slow | a join | 3 | <= 1 | no |" in page.read_text(encoding="utf-8")
    assert Path("speed.svg").exists()
    assert run(["bench", "--strict", "--json"]) == 1  # below half of a target without a floor
    assert asked == [("quick", ()), ("full", ("fast", "slow")), ("standard", ()), ("standard", ())]


def test_a_bench_that_cannot_be_shown_costs_no_time(asked: Asked) -> None:
    Path("unmarked.md").write_text("", encoding="utf-8")
    for words in (["--page", "unmarked.md"], ["--page", "absent.md"], ["--quick", "--full", "--json"]):
        assert run(["bench", *words]) == 2
    assert asked == []


def test_a_bench_without_the_engine_names_pip(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = importlib.import_module

    def missing(name: str, package: str | None = None) -> Any:
        if name.startswith("tariffs.bench"):
            raise ModuleNotFoundError("No module named 'numba'", name="numba")
        return real(name, package)

    monkeypatch.setattr(importlib, "import_module", missing)
    assert run(["bench", "--json"]) == 3
    said = capsys.readouterr()
    assert json.loads(said.out)["error"]["reason"] == "EXTRA_MISSING"
    assert "pip install 'tariffs[server]'" in said.err
