"""A small trade table that meets most measures, and scenarios written in one line each."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from tariffs.engine.law import load_law
from tariffs.engine.runs.finish import total_row
from tariffs.engine.runs.options import Options
from tariffs.engine.runs.outcomes.table_run import RunContext, TableRun
from tariffs.engine.scenario import Scenario, apply_scenario, parse_scenario

ROWS = [
    ("9503000073", "CN", 10_000.0),
    ("8471300100", "CN", 50_000.0),
    ("8471300100", "MX", 20_000.0),
    ("7208100000", "CA", 30_000.0),
    ("7308906000", "DE", 25_000.0),
    ("8703230190", "JP", 90_000.0),
    ("8703230190", "MX", 80_000.0),
    ("8542310040", "TW", 60_000.0),
    ("8505110070", "CN", 5_000.0),
    ("6110202079", "CN", 8_000.0),
    ("0406105400", "CA", 7_000.0),
    ("6110202079", "IN", 12_000.0),
    ("2204215040", "FR", 9_000.0),
]  # fmt: skip
TABLE = pl.DataFrame(ROWS, schema=["hts", "origin", "customs_value"], orient="row")
HEAD = "schema: tariffs.scenario/v1\nid: {id}\ntitle: Mine\nbasis: hypothesis\n"
DAY = "2027-01-11"


def written(*changes: str, id: str = "mine", head: str = "") -> Scenario:
    """A scenario of changes given as flow mappings."""
    text = HEAD.format(id=id) + head + "changes:\n" + "".join(f"  - {change}\n" for change in changes)
    return parse_scenario(text if changes else HEAD.format(id=id) + head)


def valuer(
    response: str = "none", by: tuple[str, ...] = ("origin",), table: pl.DataFrame = TABLE
) -> TableRun:
    options = Options(response=response, by=by, baseline="2025-01-01")
    return TableRun(table, load_law(), options, RunContext(None, None))


def total(
    scenario: Scenario, day: str = DAY, response: str = "none", table: pl.DataFrame = TABLE
) -> Mapping[str, float]:
    """The total of the small table under a scenario."""
    found = valuer(response, table=table)
    return {
        name: value
        for name, value in total_row(found.sums(found.outcomes(scenario, day))).items()
        if value is not None
    }


def applied(*changes: str) -> None:
    """Apply a scenario to the law, for its errors."""
    apply_scenario(load_law(), written(*changes))
