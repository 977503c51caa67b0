from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tariffs.client.cli.__main__ import main, run
from tariffs.v1 import scenario_service_pb2 as scenario_pb
from tests.client.fakes import check_answer, fake_server, refuse, toy_answer

TOY = ("duty", "9503.00.0073", "--origin", "CN", "--value", "10000")


def outcome(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any, str]:
    """Exit code, the JSON document on stdout, and stderr."""
    code = run([*arguments, "--json"])
    said = capsys.readouterr()
    return code, json.loads(said.out), said.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("duty",),
        (*TOY, "--colour", "red"),
        ("nonsense",),
        (*TOY, "--claim", "usmca_share"),
        (*TOY, "--claim", "donation=1", "--claim", "donation=0"),
        (*TOY, "--local", "--target", "x:1"),
        (*TOY, "--mode", "bicycle"),
        ("impact", "--response", "gravity"),
        ("impact", "-o", "out.docx"),
        ("impact", "none-such.csv"),
        ("impact", "--by", "colour"),
        (*TOY, "--switch", "none=such"),
    ],
)
def test_wrong_usage_exits_2_with_one_document(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    code, document, said = outcome(capsys, *arguments)
    assert code == 2
    assert set(document["error"]) == {"reason", "message", "field", "fix", "metadata"}
    assert document["error"]["message"] in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        (("95", "CN", "1", "2025-05-20"), "HTS_CODE_MALFORMED"),
        (("9999.99.9999", "CN", "1", "2025-05-20"), "HTS_CODE_UNKNOWN"),
        (("9503.00.0073", "XX", "1", "2025-05-20"), "ORIGIN_UNKNOWN"),
        (("9503.00.0073", "EU", "1", "2025-05-20"), "ORIGIN_UNKNOWN"),
        (("9503.00.0073", "CN", "-1", "2025-05-20"), "CUSTOMS_VALUE_INVALID"),
        (("9503.00.0073", "CN", "much", "2025-05-20"), "CUSTOMS_VALUE_INVALID"),
        (("9503.00.0073", "CN", "1", "2019-05-20"), "ENTRY_DATE_OUT_OF_COVERAGE"),
        (("9503.00.0073", "CN", "1", "yesterday"), "ENTRY_DATE_INVALID"),
    ],
)
def test_a_refused_line_exits_1_with_its_reason(
    capsys: pytest.CaptureFixture[str], server: str, changed: tuple[str, str, str, str], reason: str
) -> None:
    hts, origin, value, day = changed
    arguments = ("duty", hts, "--origin", origin, "--value", value, "--date", day)
    here = outcome(capsys, *arguments, "--local")
    there = outcome(capsys, *arguments, "--target", server)
    assert here[0] == there[0] == 1
    assert here[1]["error"]["reason"] == there[1]["error"]["reason"] == reason
    assert reason in here[2]
    assert here[1]["error"]["message"] == there[1]["error"]["message"]


def test_scenario_and_law_errors_exit_4(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("schema: tariffs.scenario/v1\nid: [\n")
    for arguments in [
        (*TOY, "-s", "none-such"),
        (*TOY, "-s", str(broken)),
        (*TOY, "-s", str(tmp_path / "missing.yaml")),
        ("scenario", "show", "none-such"),
        ("law", "show", "none-such"),
    ]:
        code, document, _ = outcome(capsys, *arguments)
        assert code == 4, arguments
        assert document["error"]["reason"]


def test_no_server_exits_3(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TARIFFS_TARGET", "127.0.0.1:1")
    code, document, _ = outcome(capsys, *TOY)
    assert (code, document["error"]["reason"]) == (3, "SERVER_UNAVAILABLE")
    assert run([*TOY, "--local"]) == 0


def test_an_internal_error_gives_its_request_id(capsys: pytest.CaptureFixture[str]) -> None:
    with fake_server() as fake:
        fake.answers["CalculateDuty"] = refuse("INTERNAL", "ENGINE_INVARIANT", "Sorry.", request_id="r7")
        code, _, said = outcome(capsys, *TOY, "--target", fake.target)
    assert code == 3
    assert "r7" in said


def test_a_missing_extra_is_one_command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "tariffs.client.cli.app", raising=False)
    monkeypatch.setitem(sys.modules, "typer", None)
    assert run(["law", "measures"]) == 3
    assert "pip install 'tariffs[cli]'" in capsys.readouterr().err


def test_local_without_the_engine_is_one_command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
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
    assert run([*TOY, "--local"]) == 3
    assert "pip install 'tariffs[server]'" in capsys.readouterr().err


def test_help_teaches_with_examples(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("duty", "impact", "serve"):
        assert run([command, "--help"]) == 0
        assert f"tariffs {command}" in capsys.readouterr().out
    assert run([]) == 2
    assert "Usage" in capsys.readouterr().out


def test_the_entry_point_exits_with_the_code(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["nonsense"])
    assert caught.value.code == 2
    assert "No such command" in capsys.readouterr().err


def test_a_line_for_people_shows_layers_and_sums(capsys: pytest.CaptureFixture[str]) -> None:
    with fake_server() as fake:
        fake.answers["CalculateDuty"] = toy_answer
        assert run([*TOY, "--target", fake.target]) == 0
    said = capsys.readouterr().out
    for part in (
        "IEEPA, China and Hong Kong, fentanyl",
        "9903.01.24",
        "10 %",
        "assessed 1,000.00",
        "owed 0.00",
        "11,034.64",
        "not a ruling",
    ):
        assert part in said


def test_problems_are_printed_as_compilers_do(capsys: pytest.CaptureFixture[str]) -> None:
    warning = scenario_pb.Problem(
        path="changes[0]",
        line=3,
        column=5,
        reason="NOT_MODELLED",
        message="m",
        severity=scenario_pb.SEVERITY_WARNING,
    )
    with fake_server() as fake:
        fake.answers["CheckScenario"] = check_answer(warning)
        assert run(["scenario", "check", "base", "--target", fake.target]) == 0
        assert "base:3:5: warning: changes[0]: m [NOT_MODELLED]" in capsys.readouterr().out
        code, document, _ = outcome(capsys, "scenario", "check", "base", "--strict", "--target", fake.target)
    assert (code, document["ok"]) == (4, False)
    assert document["problems"] == [
        {
            "path": "changes[0]",
            "line": 3,
            "column": 5,
            "reason": "NOT_MODELLED",
            "message": "m",
            "fix": "",
            "severity": "warning",
        }
    ]


def test_truce_lapses_warns_and_runs(capsys: pytest.CaptureFixture[str]) -> None:
    code, document, _ = outcome(capsys, "scenario", "check", "truce-lapses")
    assert (code, document["ok"]) == (0, True)
    assert "SAME_AS_BASE" in {problem["reason"] for problem in document["problems"]}


def test_the_library_is_listed_and_shown(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, document, _ = outcome(capsys, "scenario", "list")
    assert code == 0
    assert {frozenset(row) for row in document["scenarios"]} == {
        frozenset({"id", "title", "basis", "digest"})
    }
    assert run(["scenario", "show", "truce-lapses"]) == 0
    own = tmp_path / "own.yaml"
    own.write_text(capsys.readouterr().out)
    assert outcome(capsys, "scenario", "check", str(own))[1]["ok"]
    assert run(["scenario", "show", str(own)]) == 0
    assert capsys.readouterr().out == own.read_text()


def test_measures_and_switches_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    _, document, _ = outcome(capsys, "law", "measures", "--authority", "ieepa")
    ids = [row["id"] for row in document["measures"]]
    assert "fent_cn" in ids
    assert all(row["authority"].startswith("ieepa") for row in document["measures"])
    _, one, _ = outcome(capsys, "law", "show", "fent_cn")
    assert one["periods"]
    _, switches, _ = outcome(capsys, "law", "switches")
    assert "truce_extension" in {row["id"] for row in switches["switches"]}
    for arguments in (
        ["law", "measures"],
        ["law", "show", "fent_cn"],
        ["law", "switches"],
        ["scenario", "list"],
    ):
        assert run(arguments) == 0
        assert capsys.readouterr().out
    assert run(["law", "measures"]) == 0
    assert "not modelled yet" in capsys.readouterr().out


def test_bad_rows_are_refused_one_by_one(
    capsys: pytest.CaptureFixture[str], bad_rows: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(bad_rows.parent)
    arguments = ("impact", str(bad_rows), "--baseline", "2025-01-01", "--on", "2025-05-20")
    here = outcome(capsys, *arguments, "--local")
    there = outcome(capsys, *arguments, "--target", server)
    assert here[0] == there[0] == 1
    assert here[1] == there[1]
    refused = here[1]["refused"]
    assert (refused["count"], refused["path"]) == (3, "bad-refused.csv")
    assert [(row["row"], row["column"]) for row in refused["rows"]] == [
        (10, "hts"),
        (20, "origin"),
        (30, "customs_value"),
    ]
    assert pl.read_csv(bad_rows.with_name("bad-refused.csv")).height == 3
    assert here[1]["scenarios"][0]["total"]["customs_value"] == 99_700.0


def test_results_are_written(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    table, groups, lines = tmp_path / "t.csv", tmp_path / "groups.parquet", tmp_path / "lines.csv"
    table.write_text("hts,origin,customs_value,mine\n9503.00.0073,CN,100,x\n")
    arguments = [
        "impact",
        str(table),
        "--response",
        "none",
        "-s",
        "base",
        "-o",
        str(groups),
        "--lines",
        str(lines),
    ]
    assert run([*arguments, "--on", "2025-05-20"]) == 0
    assert "2025-05-20" in capsys.readouterr().out
    assert pl.read_parquet(groups)["duty"].to_list() == pytest.approx([30.0])
    assert pl.read_csv(lines)["mine"].to_list() == ["x"]


def test_a_reader_that_leaves_early_is_no_failure() -> None:
    command = f"{sys.executable} -m tariffs.client.cli law measures | head -n 1 > /dev/null; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=300, check=False)
    assert (done.stdout.strip(), done.stderr) == ("0", "")
