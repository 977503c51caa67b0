"""Rows of `tariffs bench`: rivals give the engine's results, points are new, and every row can be measured."""

from __future__ import annotations

import importlib
import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
import pytest

from tariffs.bench.measure import Deadline, RivalDiffersError, RowSkippedError, measure_rows
from tariffs.bench.quote_rows import Answer, Draws, ReadyLayers
from tariffs.bench.report import Report
from tariffs.bench.rivals import RatePanel
from tariffs.bench.rows import COLD_ROWS, LONG_ROWS, QUICK_ROWS
from tariffs.bench.shipments import grown
from tariffs.bench.table_rows import slope_sample
from tariffs.bench.workbench import BY_BOTH, Counts, Workbench, scenario_named
from tariffs.engine.line_duty.quote import quote_line
from tariffs.engine.runs.options import Options
from tests.unit.scenario_tables import TABLE

SMALL = Counts(
    rounds=1,
    seconds=60,
    scenarios=5,
    patterns=4,
    draws=15,
    batch_lines=10,
    period=("2026-11-20", "2026-11-24"),
    scenario_counts=(1, 2),
)


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
    for changed in (
        block.groups.with_columns(pl.col("duty") * (1 + 1e-8)),
        block.groups.head(block.groups.height - 1),
    ):
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


def test_duckdb_is_asked_for_the_same_sums(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The SQL runs in Polars, which stands in for a package that may be absent."""

    class Connection:
        def __init__(self) -> None:
            self.context = pl.SQLContext(eager=True)
            self.rows: list[Any] = []

        def register(self, name: str, table: Any) -> None:
            self.context.register(name, pl.DataFrame(pl.from_arrow(table)))

        def execute(self, query: str) -> Connection:
            if query.startswith("create table "):
                name, source = query.removeprefix("create table ").split(" as ")
                self.context.register(name, self.context.execute(source))
            else:
                self.rows = self.context.execute(query).rows()
            return self

        def fetchall(self) -> list[Any]:
            return self.rows

    panel, real = fresh(bench.panel), importlib.import_module
    fake = type("DuckDB", (), {"connect": staticmethod(Connection)})
    monkeypatch.setattr(importlib, "import_module", lambda name: fake if name == "duckdb" else real(name))
    assert panel.duckdb().sort("origin")["duty"].to_list() == pytest.approx(
        panel.join().sort("origin")["duty"].to_list(), rel=1e-12
    )


def test_without_duckdb_its_row_is_skipped_with_the_command(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> Any:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    panel = fresh(bench.panel)
    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(RowSkippedError, match="duckdb is not installed") as raised:
        _ = panel.duckdb
    assert raised.value.fix == "pip install duckdb pyarrow"


def fresh(panel: RatePanel) -> RatePanel:
    """The same panel without the rivals that it has made."""
    other = RatePanel.__new__(RatePanel)
    rivals = {"join", "expression", "duckdb"}
    other.__dict__.update({name: value for name, value in panel.__dict__.items() if name not in rivals})
    return other


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
