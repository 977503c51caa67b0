"""Sweeps and seeks in Python and on the command line: the same here and there, in the documented form."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest.mock import Mock, patch

import numpy as np
import polars as pl
import pytest

from tariffs.client import Client, DeadlineExceeded, InvalidRequest, Seek, Sweep, replay
from tariffs.client._wire import sweep_requests
from tariffs.engine.runs.sweeps import sweep as engine_sweep
from tariffs.engine.runs.sweeps import sweep_points
from tariffs.engine.tables import atoms as atoms_module
from tariffs.run_spec.spec import RunSpec
from tests.client.conftest import Cli, goods, refuses, scenario_text

DAY = "2027-01-11"
FAMILY = scenario_text(
    "op: set_rate, measures: {id: fl301, origins: [CN]}, from: 2026-09-01, rate: $cn, when: $truce",
    "op: suspend, measures: {id: fl301, origins: [VN]}, from: 2026-12-01, until: $end, on_end: snap_back",
    head="parameters: {cn: {default: 12.5%}, truce: {default: on}, end: {default: 2027-06-01}}\n",
)
TABLE = goods(
    ("9503.00.0073", "CN", 10_000.0),
    ("6110.20.2079", "CN", 8_000.0),
    ("9503.00.0073", "VN", 5_000.0),
    ("no code", "CN", 1.0),
)
CHINA = 18_000.0
GRID: dict[str, Any] = {"vary": {"cn": "0%:20%:10%"}, "on": DAY, "response": "none"}


@pytest.fixture
def family() -> Path:
    Path("family.yaml").write_text(FAMILY, encoding="utf-8")
    return Path("family.yaml")


@pytest.fixture
def coarse(monkeypatch: pytest.MonkeyPatch) -> None:
    """A first grid of few values, in this process."""
    monkeypatch.setattr(sweep_points, "CELLS", 6)


def swept(client: Client, family: Path, **options: Any) -> Sweep:
    return client.sweep(TABLE, family, **(GRID | options))


def test_a_sweep_is_the_same_here_and_on_a_server(here: Client, there: Client, family: Path) -> None:
    asked: dict[str, Any] = {"by": ["origin", "authority"], "parameters": {"truce": True}}
    found = swept(here, family, **asked)
    started = there.start_sweep(TABLE, family, vary={"cn": "0%:20%:10%"}, on=DAY, response="none", **asked)
    later: Any = started.result()
    for other in (swept(there, family, **asked), later):
        for name in ("points", "groups", "totals", "refused"):
            assert getattr(other, name).equals(getattr(found, name)), name
        assert (other.notes, other.provenance) == (found.notes, found.provenance)
    assert (found.refused.height, found.keys) == (1, ["origin", "authority"])
    document = json.loads(json.dumps(found.to_json_dict()))
    assert list(document) == ["points", "groups", "totals", "refused", "notes", "provenance"]
    assert document["points"] == [{"cn": 0.0}, {"cn": 0.1}, {"cn": 0.2}]
    assert list(document["groups"][0])[:3] == ["cn", "origin", "authority"]
    duties = [row["duty"] for row in document["totals"]]
    assert duties[1] - duties[0] == pytest.approx(0.1 * CHINA)


def test_a_sweep_has_a_grid_or_a_list(client: Client, family: Path) -> None:
    asked: list[dict[str, Any]] = [{"vary": None}, {"points": [{"cn": "5%"}]}, {"vary": {}}]
    for given in asked:
        with refuses("REQUEST_INVALID"):
            swept(client, family, **given)
    with refuses("PARAMETER_INVALID", said="100,001|100001"):
        swept(client, family, vary=None, points=[{"cn": "5%"}] * 100_001)


def test_values_may_be_numbers_days_and_switches(client: Client, family: Path) -> None:
    text = {"cn": ["0.1", "0.25", "0.5"], "end": ["2027-01-10"], "truce": ["on", "off"]}
    assert text == sweep_requests.axes(
        {"cn": [0.1, Decimal("0.25"), np.float64(0.5)], "end": date(2027, 1, 10), "truce": [True, False]}
    )
    assert sweep_requests.axes({"cn": np.array([0.1, 0.2])}) == {"cn": ["0.1", "0.2"]}
    for wrong in ({"cn": [None]}, {"cn": [float("nan")]}, {"cn": [b"5%"]}, [0.1], {1: [0.1]}):
        with pytest.raises(InvalidRequest):
            sweep_requests.axes(wrong)
    found = swept(client, family, vary={"end": ["2027-01-05", date(2027, 2, 1)], "truce": [True]})
    assert found.points.rows() == [("2027-01-05", 1.0), ("2027-02-01", 1.0)]


def test_points_come_as_mappings_frames_and_files(client: Client, family: Path) -> None:
    listed = [{"cn": "5%", "truce": True}, {"cn": 0.1}]
    expected = pl.DataFrame({"cn": [0.05, 0.1], "truce": [1.0, 1.0]})
    file = Path("points.csv")
    file.write_text("cn,truce\n5%,on\n10%,\n", encoding="utf-8")
    frame = pl.DataFrame({"cn": [0.05, 0.1], "truce": [True, None]})
    for points in (listed, frame, file):
        found = swept(client, family, vary=None, points=points)
        assert found.points.equals(expected)
    many = pl.DataFrame({"cn": [f"{index * 7919 % 99991 / 1000:.3f}%" for index in range(50_000)]})
    request = sweep_requests.sweep_request("base", {}, sweep_requests.point_rows(many), RunSpec(), 50_000)
    assert len(request.list.arrow) > 1
    assert max(map(len, request.list.arrow)) <= 50_000


def test_the_duty_at_any_point_counts_for_the_top() -> None:
    duties = {"CN": (5.0, 0.0), "IN": (4.0, 4.0), "VN": (3.0, -9.0)}
    rows = [
        (rate, origin, duties[origin][place]) for place, rate in enumerate((0.0, 0.1)) for origin in duties
    ]
    groups = pl.DataFrame(rows, schema=["cn", "origin", "duty"], orient="row")
    points = pl.DataFrame({"cn": [0.0, 0.1]})
    found = Sweep(points, groups, points, refused=pl.DataFrame(), provenance={})
    assert found.keys == ["origin"]
    assert set(found.top(1).groups["origin"]) == {"VN"}
    assert found.top(2).groups["origin"].to_list() == ["CN", "VN", "CN", "VN"]
    assert found.top(5).groups.equals(found.groups)
    assert found.top(1).totals.equals(found.totals)


def test_refused_rows_come_in_order(client: Client, family: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(atoms_module, "ATOMS_AT_MOST", 1)
    split = goods(("9401.61.6011", "MX", 100.0))
    found = client.sweep(pl.concat([split, TABLE]), family, vary={"cn": ["5%"]}, on=DAY, response="none")
    assert found.refused["reason"].to_list() == ["TOO_MANY_ATOMS", "HTS_CODE_MALFORMED"]
    assert found.refused["row"].is_sorted()


def sought(client: Client, family: Path, target: tuple[str, float], **options: Any) -> Seek:
    given: dict[str, Any] = {"vary": ("cn", "0%", "60%"), "on": DAY, "response": "none"}
    return client.seek(TABLE, family, target=target, **(given | options))


def test_a_seek_is_the_same_here_and_on_a_server(here: Client, there: Client, family: Path) -> None:
    asked: dict[str, Any] = {"vary": ("end", "2027-01-09", "2027-01-13"), "where": {"origin": ["VN"]}}
    found, other = (sought(client, family, ("duty", 300.0), **asked) for client in (here, there))
    assert other.path.equals(found.path)
    for name in ("roots", "jumps", "nearest", "notes", "provenance"):
        assert getattr(other, name) == getattr(found, name), name
    assert [(jump.value, jump.next_value) for jump in found.jumps] == [("2027-01-11", "2027-01-12")]
    document = json.loads(json.dumps(found.to_json_dict()))
    assert set(document) >= {"roots", "monotone", "path", "provenance"}
    assert set(document["path"][0]) == {"value", "achieved"}
    assert document["refused"]["count"] == 1
    report = found.report("seek.html")
    for text in ("<title>Which end gives duty of USD 300?", "passed between end = 2027-01-11"):
        assert text in report
    assert found.workbook_sheets()["values that were computed"].columns == ["value", "duty"]
    assert repr(found) == "\n".join(found.words())


WRONG: dict[str, tuple[Any, ...]] = {
    "vary": (("cn", "0%"), "cn", {"cn": "0%:60%"}),
    "target": (("duty", "much"), "duty", ("duty", True), ("revenue", 5.0)),
    "where": ("origin=CN", {"origin": 5}, {"origin": []}),
}


@pytest.mark.parametrize("options", [{name: one} for name, values in WRONG.items() for one in values])
def test_a_wrong_seek_is_an_error(client: Client, family: Path, options: dict[str, Any]) -> None:
    given = {"vary": ("cn", "0%", "60%"), "target": ("duty", 1.0)} | options
    with pytest.raises(InvalidRequest) as caught:
        client.seek(TABLE, family, on=DAY, response="none", **given)
    assert caught.value.reason in {"REQUEST_INVALID", "PARAMETER_INVALID"}
    assert caught.value.fix


def test_the_commands_answer_as_the_client(client: Client, family: Path, cli: Cli, coarse: None) -> None:
    TABLE.write_csv("lines.csv")
    common = f"lines.csv -s {family} --on {DAY} --response none --refused bad.csv"
    grid = "--vary cn=0%:20%:10% --vary truce=on,off --param end=2027-05-01"
    document = cli.json(f"sweep {common} {grid} --top 1 -o long.parquet", 1)
    assert [point["truce"] for point in document["points"]] == [1.0, 0.0] * 3
    assert {row["origin"] for row in document["groups"]} == {"CN"}
    rows = pl.read_parquet("long.parquet")
    assert rows.columns[:3] == ["cn", "truce", "origin"]
    assert set(rows["origin"]) == {"CN", "VN"}
    assert document["refused"] == {"count": 1, "rows": document["refused"]["rows"], "path": "bad.csv"}
    assert replay(client, Path("long.parquet")).same
    base = rows.filter(cn=0.0, truce=1.0, origin="CN")["duty"].item()
    aim = f"duty={base + 0.24 * CHINA:.6f}"
    found = cli.json(f"seek {common} --vary cn=0%:60% --target {aim} --where origin=CN", 1)
    assert [root["value"] for root in found["roots"]] == pytest.approx([0.24])
    assert found["roots"][0]["achieved"] == pytest.approx(base + 0.24 * CHINA)
    for words, said in (
        ("sweep --vary cn=0%:20%:10% --wide", "totals of 3 points"),
        ("seek --vary cn=0%:60% --target duty=1e12", "no value of cn from 0% to 60% meets it"),
        ("seek --vary end=2027-01-09:2027-01-13 --target duty=4400", "passed between end = 2027-"),
    ):
        assert said in " ".join(cli.out(f"{words} {common}", 1).split())


def test_a_sweep_is_run_again_and_read_later(client: Client, server: str, family: Path, cli: Cli) -> None:
    written, points = Path("sweep.json"), Path("points.csv")
    TABLE.write_csv("lines.csv")
    points.write_text("cn,truce\n5%,on\n10%,off\n", encoding="utf-8")
    common = f"sweep lines.csv -s {family} --on {DAY} --response none --points {points}"
    document = cli.json(common, 1)
    begun = cli.json(f"{common} --detach --target {server}")
    later = f"runs result {begun['name']} --target {server}"
    assert cli.json(later, 1)["groups"] == document["groups"]
    assert "cn 5 %" in cli.out(later, 1)
    for more, same in ((0.0, True), (1.0, False)):
        document["groups"][0]["duty"] += more
        written.write_text(json.dumps(document), encoding="utf-8")
        assert replay(client, written).same is same


def test_a_sweep_in_this_process_stops_when_it_is_not_read(client: Client, family: Path) -> None:
    kind, reader = engine_sweep.SweepRun, Mock(side_effect=[None, None, None, KeyboardInterrupt])
    with (
        patch.object(engine_sweep, "BLOCK_POINTS", 2),
        patch.object(kind, "value", autospec=True, side_effect=kind.value) as value,
        pytest.raises(KeyboardInterrupt),
    ):
        swept(client, family, vary={"cn": "0%:50%:1%"}, progress=reader)
    assert 0 < value.call_count < 5


def test_a_deadline_ends_a_sweep(client: Client, family: Path) -> None:
    with refuses("DEADLINE", kind=DeadlineExceeded):
        swept(client, family, vary={"cn": "0%:99%:0.01%"}, timeout=0.05)
