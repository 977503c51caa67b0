"""Impacts of small tables, and what tests read of them."""

from __future__ import annotations

from typing import Any

import polars as pl

from tariffs.engine.law import load_law
from tariffs.engine.runs.impact import Impact, Options, Point, impact
from tariffs.engine.scenario import Scenario, library, parse_scenario

BASELINE = "2025-01-01"
TOYS, STEEL, BALLS, COFFEE = "9503000073", "7208390030", "9506624080", "0901110015"


def table_of(rows: dict[str, dict[str, float]]) -> pl.DataFrame:
    """Rows of a table from values by origin, by code."""
    found = [(code, origin, value) for code, by in rows.items() for origin, value in by.items()]
    return pl.DataFrame(found, schema=["hts", "origin", "customs_value"], orient="row")


def scenario_of(text: str, name: str = "tested") -> Scenario:
    """Read a scenario from what follows its head."""
    head = f"schema: tariffs.scenario/v1\nid: {name}\ntitle: Tested\nbasis: hypothesis\n"
    return parse_scenario(f"{head}{text}", "test")


def ban_from(start: str) -> str:
    """Write the change that bans toys and steel of China from an instant."""
    return f"""  - op: add
    measure:
      id: ban
      title: Ban
      authority: s301
      periods:
        - id: ban_p
          from: {start}
          rows: [{{origins: [CN], products: ["9503", "7208"], kind: prohibition}}]
"""


def run_of(table: pl.DataFrame | None, *scenarios: str | Scenario, on: str, **options: Any) -> Impact:
    """Compute scenarios, by name or as they are, on a day; without one the law as it is."""
    chosen = [library()[one] if isinstance(one, str) else one for one in scenarios or ("base",)]
    given = Options(**{"baseline": BASELINE, **options})
    return impact(table, [Point(one, on) for one in chosen], law=load_law(), options=given)


def lines_of(found: Impact, place: int = 0) -> pl.DataFrame:
    """Lines of a scenario."""
    lines = found.scenarios[place].lines
    assert lines is not None
    return lines


def total_of(found: Impact, place: int = 0) -> dict[str, Any]:
    """Totals of a scenario."""
    return dict(found.scenarios[place].total)


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
