"""Rows of `tariffs bench`: rounds are interleaved, rivals give the engine's results, pages are written."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import polars as pl
import pytest

from tariffs.bench.measure import (
    AT_LEAST,
    AT_MOST,
    WITHIN,
    Deadline,
    Result,
    RivalDiffersError,
    Row,
    RowSkippedError,
    Sample,
    Target,
    against,
    measure_rows,
)
from tariffs.bench.page import write_page
from tariffs.bench.quote_rows import Answer, Draws, ReadyLayers
from tariffs.bench.report import Report, machine_facts, run_bench
from tariffs.bench.rivals import RatePanel
from tariffs.bench.rows import COLD_ROWS, LONG_ROWS, QUICK_ROWS
from tariffs.bench.shipments import grown
from tariffs.bench.table_rows import slope_sample
from tariffs.bench.workbench import BY_BOTH, Counts, Workbench, scenario_named
from tariffs.engine.errors import InputError, ServiceError
from tariffs.engine.line_duty.quote import quote_line
from tariffs.engine.runs.options import Options
from tests.unit.scenario_tables import TABLE

Log = list[str]


def row(name: str, *ratios: float, target: Target | None = None, stopped: bool = False) -> Row[Log]:
    left = list(ratios)

    def measure(log: Log, deadline: Deadline) -> Sample:
        log.append(name)
        return Sample(left.pop(0), 1.0, 2.0, stopped)

    return Row(name, f"the row {name}", "a rival", target or Target(AT_MOST, 1.0), measure)


def measured(*rows: Row[Log], rounds: int = 3, seconds: float = 60.0) -> tuple[list[Result], Log]:
    log: Log = []
    results, _ = measure_rows(rows, log, rounds=rounds, seconds=seconds, progress=lambda name, fraction: None)
    return results, log


def test_rounds_are_interleaved_and_the_median_counts() -> None:
    (a, b), log = measured(row("a", 3.0, 0.5, 0.9), row("b", 2.0, 4.0, 0.1))
    assert log == ["a", "b", "a", "b", "a", "b"]
    assert (a.measured, a.met, a.accepted) == (0.9, True, True)
    assert a.spread == pytest.approx(2.5 / 0.9)
    assert (b.measured, b.met, b.accepted) == (2.0, False, True)
    assert (a.milliseconds(), len(a.samples)) == ((1.0, 2.0), 3)


@pytest.mark.parametrize(
    ("ratio", "target", "floor", "met", "accepted"),
    [
        (4.0, Target(AT_MOST, 4.0), None, True, True),
        (8.0, Target(AT_MOST, 4.0), None, False, True),
        (8.1, Target(AT_MOST, 4.0), None, False, False),
        (1.7, Target(AT_LEAST, 1.7), None, True, True),
        (0.85, Target(AT_LEAST, 1.7), None, False, True),
        (0.84, Target(AT_LEAST, 1.7), None, False, False),
        (0.905, Target(WITHIN, 1.0, 0.1), None, True, True),
        (1.19, Target(WITHIN, 1.0, 0.1), None, False, True),
        (1.21, Target(WITHIN, 1.0, 0.1), None, False, False),
        (5.0, Target(AT_MOST, 1.0), 5.0, False, True),
        (5.1, Target(AT_MOST, 1.0), 5.0, False, False),
    ],
)
def test_a_check_accepts_half_of_a_target_or_the_floor_of_a_row(
    ratio: float, target: Target, floor: float | None, met: bool, accepted: bool
) -> None:
    """A row that was cancelled is judged by the lower bound of its ratio."""
    for stopped in (False, True):
        one = replace(row("a", ratio, target=target, stopped=stopped), floor=floor)
        ((result,), _) = measured(one, rounds=1)
        assert (result.met, result.accepted) == (met and not stopped, accepted)


def test_a_row_that_is_cancelled_or_skipped_is_asked_once_and_work_beyond_its_deadline_is_cancelled() -> None:
    calls = []

    def skip(log: Log, deadline: Deadline) -> Sample:
        calls.append(1)
        raise RowSkippedError("no such thing here", "pip install thing")

    def failing(reason: str) -> Callable[[], object]:
        def work() -> object:
            raise ServiceError(reason, "")

        return work

    skipping = Row("c", "", "", Target(AT_MOST, 1.0), skip)
    rows, log = [row("a", 0.1, stopped=True), row("b", 1.0, 1.0, 1.0), skipping], list[str]()
    (first, _), skipped = measure_rows(rows, log, rounds=3, seconds=60, progress=lambda *_: None)
    assert (log, calls) == (["a", "b", "b", "b"], [1])
    assert (first.met, first.stopped) == (False, True)
    assert [(one.name, one.reason, one.fix) for one in skipped] == [
        ("c", "no such thing here", "pip install thing")
    ]
    assert against(lambda: sum(range(1_000)), failing("CANCELLED")).stopped
    assert not against(lambda: sum(range(1_000)), lambda: None).stopped
    with pytest.raises(ServiceError):
        against(lambda: None, failing("ENGINE_INVARIANT"))


def report() -> dict[str, Any]:
    least, within = Target(AT_LEAST, 1.7), Target(WITHIN, 1.0, 0.1)
    rows = [row("a", 0.5), row("b", 30.0, target=Target(AT_MOST, 2.0)), row("c", 1.9, target=least)]
    results, _ = measured(*rows, row("d", 1.0, target=within), row("e", 9.0, stopped=True), rounds=1)
    return Report(machine_facts(), tuple(results), ()).to_dict()


def test_a_page_has_the_table_between_its_marks_and_a_plot(tmp_path: Path) -> None:
    page = tmp_path / "speed.md"
    page.write_text("before\n<!-- bench -->\nold\n<!-- /bench -->\nafter\n", encoding="utf-8")
    for _ in range(2):
        write_page(page, report())
    lines = page.read_text(encoding="utf-8").splitlines()
    assert (lines[:2], lines[-2:]) == (["before", "<!-- bench -->"], ["<!-- /bench -->", "after"])
    assert "old" not in lines
    assert "| the row b | a rival | 30 | <= 2 | no | 0% | 1 | 1 | 2 |" in lines
    assert "| the row e | a rival | > 9 | <= 1 | no | 0% | 1 | 1 | 2 |" in lines
    plot = ElementTree.parse(tmp_path / "speed.svg").getroot()
    texts = [element.text for element in plot.iter("{http://www.w3.org/2000/svg}text")]
    assert [text for text in texts if text and text.startswith("the row")] == [
        f"the row {name} ({name})" for name in "abce"
    ]
    assert "15" in texts


def test_an_unknown_row_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError, match="no row 'slope_lines' in a quick run") as raised:
        run_bench("quick", ["slope_lines"])
    assert "sweep_rates" in raised.value.fix


SMALL = Counts(
    rounds=1, seconds=60, scenarios=5, patterns=4, draws=15, batch_lines=10, period=("2026-11-20", "2026-11-24"),
    scenario_counts=(1, 2),
)  # fmt: skip


@pytest.fixture(scope="module")
def bench() -> Workbench:
    return Workbench(SMALL, TABLE)


def test_every_row_of_a_small_run_has_a_result(bench: Workbench) -> None:
    left_out = {"first_law", "slope_lines", "scenario_static_duckdb"}
    rows = [row for row in (*QUICK_ROWS, *LONG_ROWS) if row.name not in left_out]
    seen: list[str] = []
    results, skipped = measure_rows(
        rows, bench, rounds=1, seconds=60, progress=lambda name, fraction: seen.append(name)
    )
    document: dict[str, Any] = json.loads(json.dumps(Report({}, tuple(results), ()).to_dict()))
    measured = {row["name"]: row for row in document["rows"]}
    assert [*measured, *(one.name for one in skipped)] == [row.name for row in rows] == seen
    assert {one.name for one in skipped} <= {"threads"}
    for name, row in measured.items():
        assert {"name", "measured", "target", "met", "spread", "runs"} <= row.keys()
        assert (row["runs"], row["spread"], row["stopped"]) == (1, 0.0, False)
        assert type(row["met"]) is bool
        assert row["measured"] > 0 or name.startswith("slope")
        assert row["milliseconds"] > 0


def test_a_panel_that_differs_is_refused(bench: Workbench) -> None:
    (block,) = bench.impact(bench.moved(), Options(include_lines=True, response="none")).scenarios
    assert block.lines is not None
    panel = RatePanel(TABLE, block.lines, block.groups)
    duties = panel.join().join(block.groups, on="origin", how="full")
    assert duties["duty"].to_list() == pytest.approx(duties["duty_right"].to_list(), rel=1e-12)
    assert panel.expression().height == panel.join().height == block.groups.height
    for changed in (block.groups.with_columns(pl.col("duty") * (1 + 1e-8)), block.groups.head(-1)):
        other = RatePanel(TABLE, block.lines, changed)
        for rival in ("join", "expression"):
            with pytest.raises(RivalDiffersError):
                getattr(other, rival)


def test_the_product_of_coefficients_is_the_sweep(bench: Workbench) -> None:
    scenario, product = scenario_named("rates"), bench.coefficients
    points = bench.rate_points(scenario, 3)
    found = bench.sweep(scenario, points, Options(response="none", by=BY_BOTH))
    engine = found.groups.filter(pl.col("duty") != 0)
    smallest = 1e-9 * float(engine["duty"].to_numpy().max())
    rival = product.frame(points).filter(pl.col("duty").abs() > smallest)
    assert rival.height == engine.height
    assert sorted(rival["duty"]) == pytest.approx(sorted(engine["duty"]), rel=1e-9)
    assert np.allclose(np.unique(rival["cn"]), np.unique(engine["cn"]), rtol=1e-12)
    changed = found.groups.with_columns(pl.col("duty") * (1 + 1e-6))
    with pytest.raises(RivalDiffersError):
        product.verify(replace(found, groups=changed))


def test_without_duckdb_its_row_is_skipped_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    # A panel of its own: a row may have loaded duckdb into that of the others.
    panel = Workbench(SMALL, TABLE).panel
    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(RowSkippedError, match="duckdb is not installed") as raised:
        _ = panel.duckdb
    assert raised.value.fix == "pip install duckdb pyarrow"


def test_ready_layers_are_the_quotes_to_the_cent(bench: Workbench) -> None:
    lines = Draws(TABLE, bench.law.as_of).take(40)
    quotes = [quote_line(bench.law, line) for line in lines]
    answers = [
        Answer(quote.assessed, tuple((one.rate or Decimal(0), one.amount) for one in quote.layers))
        for quote in quotes
    ]
    assert ReadyLayers(lines, answers).assessed() == [quote.assessed for quote in quotes]
    answers[7] = Answer(answers[7].assessed + Decimal("0.01"), answers[7].layers)
    with pytest.raises(RivalDiffersError):
        ReadyLayers(lines, answers)


def test_shipments_keep_the_goods_and_have_days_of_the_period() -> None:
    found = grown(TABLE, 3 * TABLE.height + 5, "2025-01-01", "2025-01-10")
    assert found.height == 3 * TABLE.height + 5
    assert (str(found["entry_date"].min()), str(found["entry_date"].max())) == ("2025-01-01", "2025-01-10")
    assert found.select("hts", "origin").head(TABLE.height).equals(TABLE.select("hts", "origin"))
    declared = found["usmca_share"].drop_nulls()
    assert 0 < declared.len() < found.height
    assert declared.is_between(0, 1).all()


def test_a_slope_is_that_of_the_logarithms() -> None:
    linear = slope_sample((1, 10, 100), [(0.2, False), (2.0, False), (20.0, False)])
    assert linear.ratio == pytest.approx(1.0)
    square = slope_sample((1, 10, 100), [(1.0, False), (100.0, False), (10_000.0, True)])
    assert square.ratio == pytest.approx(2.0)
    assert (linear.stopped, square.stopped) == (False, True)


def test_a_cold_start_is_measured_by_the_processor_time_of_its_process(bench: Workbench) -> None:
    (row,) = (row for row in COLD_ROWS if row.name == "cold_help")
    sample = row.measure(bench, Deadline(60))
    assert 10 < (sample.milliseconds or 0) < 5_000
    assert 50 < (sample.rival_milliseconds or 0) < 5_000
