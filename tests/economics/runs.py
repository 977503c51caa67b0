"""Impacts of small tables, plain and with draws, the scenarios they are of, and what tests read of them."""

from __future__ import annotations

from typing import Any

import polars as pl

from tariffs.engine.law import load_law
from tariffs.engine.response import Spreads
from tariffs.engine.runs.draws.ranges import Ranges
from tariffs.engine.runs.impact import Impact, Options, Point, impact
from tariffs.engine.scenario import Scenario, library, parse_scenario
from tariffs.engine.schedule.reference_data import reference_table

BASELINE, DRAWN_DAY = "2025-01-01", "2025-05-20"
TOYS, STEEL, BALLS, COFFEE = "9503000073", "7208390030", "9506624080", "0901110015"
QUIET = Spreads(0.0, 0.0, 0.0, 0.0)
LEVELS = ("mean", "p5", "p25", "p50", "p75", "p95")


def table_of(rows: dict[str, dict[str, float]]) -> pl.DataFrame:
    """Rows of a table from values by origin, by code."""
    found = [(code, origin, value) for code, by in rows.items() for origin, value in by.items()]
    return pl.DataFrame(found, schema=["hts", "origin", "customs_value"], orient="row")


def goods_of(*chapters: str) -> pl.DataFrame:
    """Take some chapters of the embedded table."""
    found = reference_table().filter(pl.col("hts").str.slice(0, 2).is_in(chapters))
    return found.select("hts", "origin", "customs_value")


def scenario_of(text: str, name: str = "tested") -> Scenario:
    """Read a scenario from what follows its head."""
    head = f"schema: tariffs.scenario/v1\nid: {name}\ntitle: Tested\nbasis: hypothesis\n"
    return parse_scenario(f"{head}{text}", "test")


def added(name: str, start: str, row: str, *, period: str = "", measure: str = "authority: s301") -> str:
    """Write the change that adds a measure of one row from an instant."""
    periods = f"[{{id: {name}_p, from: {start}, {period}rows: [{{{row}}}]}}]"
    return f"  - {{op: add, measure: {{id: {name}, title: Added, {measure}, periods: {periods}}}}}\n"


def banned(row: str, start: str = "2025-10-01T00:01-04:00", *, period: str = "") -> str:
    """Write the change that bans what a row names."""
    return added("ban", start, f"{row}, kind: prohibition", period=period)


def void(origins: str) -> str:
    """Write the changes that add a duty of ten percent and invalidate it from its beginning, half a year later."""
    row = f"origins: [{origins}], rate: 10%"
    return f"""{added("voided", "2025-06-01T00:01-04:00", row)}  - op: invalidate
    measures: {{id: voided}}
    at: 2026-02-20
    from_beginning: true
    collection_stop: 2026-02-24T00:00-05:00
"""


def run_of(table: pl.DataFrame | None, *scenarios: str | Scenario, on: str, **options: Any) -> Impact:
    """Compute scenarios, by name or as they are, on a day; without one the law as it is."""
    chosen = [library()[one] if isinstance(one, str) else one for one in scenarios or ("base",)]
    given = Options(**{"baseline": BASELINE, **options})
    return impact(table, [Point(one, on) for one in chosen], law=load_law(), options=given)


def drawn(table: pl.DataFrame | None, *scenarios: str | Scenario, **options: Any) -> Impact:
    """Compute scenarios with 16 draws, unless an option says otherwise."""
    given = {"on": DRAWN_DAY, "horizon": "long", "draws": 16, "seed": 7, "by": ("origin",), **options}
    return run_of(table, *scenarios, **given)


def lines_of(found: Impact, place: int = 0) -> pl.DataFrame:
    """Lines of a scenario."""
    lines = found.scenarios[place].lines
    assert lines is not None
    return lines


def total_of(found: Impact, place: int = 0) -> dict[str, Any]:
    """Totals of a scenario."""
    return dict(found.scenarios[place].total)


def ranges_of(found: Impact, place: int = 0) -> Ranges:
    """Take the ranges of a scenario."""
    ranges = found.scenarios[place].ranges
    assert ranges is not None
    return ranges


def row_of(ranges: pl.DataFrame, column: str) -> dict[str, Any]:
    """Take the row of a column."""
    (row,) = ranges.filter(column=column).to_dicts()
    return row


def rates_on(table: pl.DataFrame, day: str) -> list[float]:
    """Rates of the lines of a table on a day under the law as it is."""
    lines = lines_of(run_of(table, on=day, baseline="", response="none", include_lines=True))
    rates: list[float] = (lines["duty"] / lines["customs_value"]).to_list()
    return rates


def assert_balance(rows: list[dict[str, Any]]) -> None:
    """Welfare is the surplus of buyers and producers, the change of revenue, and rents that stay at home."""
    names = ("buyer_surplus", "producer_surplus", "revenue_change", "rent_importer", "rent_government")
    for row in rows:
        parts = sum(row.get(name) or 0.0 for name in names)
        assert abs(row["welfare"] - parts) <= 1.0 + 1e-9 * abs(parts)
