"""A small trade table that meets most measures, and scenarios written in one line each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # ships no types

from tariffs.engine.law import Law, load_law
from tariffs.engine.runs.finish import total_row
from tariffs.engine.runs.options import Options
from tariffs.engine.runs.outcomes.table_run import RunContext, TableRun
from tariffs.engine.scenario import Scenario, apply_scenario, parse_scenario
from tariffs.engine.scenario.schema import json_schema

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
MINE = HEAD.format(id="mine")
DAY = "2027-01-11"
_READER = Draft202012Validator(json_schema())


def text_of(*changes: str, id: str = "mine", head: str = "") -> str:
    """The text of a scenario of changes given as flow mappings."""
    text = HEAD.format(id=id) + head
    return text + "changes:\n" + "".join(f"  - {change}\n" for change in changes) if changes else text


def written(*changes: str, id: str = "mine", head: str = "") -> Scenario:
    return parse_scenario(text_of(*changes, id=id, head=head))


def applied(*changes: str) -> Law:
    """The law under a scenario of these changes."""
    return apply_scenario(load_law(), written(*changes))


def faults(document: Any) -> list[str]:
    """List the messages of a document that breaks the published schema of scenarios."""
    return [fault.message for fault in _READER.iter_errors(document)]


def valuer(response: str = "none", table: pl.DataFrame = TABLE) -> TableRun:
    options = Options(response=response, by=("origin",), baseline="2025-01-01")
    return TableRun(table, load_law(), options, RunContext(None, None))


def total(scenario: Scenario, day: str = DAY, table: pl.DataFrame = TABLE) -> Mapping[str, float]:
    """The total of the small table under a scenario, without a response."""
    found = valuer(table=table)
    sums = total_row(found.sums(found.outcomes(scenario, day)))
    return {name: value for name, value in sums.items() if value is not None}
