"""Provenance of a run: every option that can change a number is in it and changes the digest of the run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import polars as pl
import pytest

from tariffs.engine.law import load_law
from tariffs.engine.response import Spreads
from tariffs.engine.runs.impact import Options, Point, impact
from tariffs.engine.runs.options import DIRECTIONS
from tariffs.engine.scenario import library

TABLE = pl.DataFrame(
    {"hts": ["9503000073", "8471300100"], "origin": ["CN", "MX"], "customs_value": [1e4, 5e4]}
)
PLAIN = Options(baseline="2025-01-01", response="armington", horizon="short")
DRAWN = replace(PLAIN, draws=16, seed=1)
# By option, another value, and the entry of the provenance that must show it.
OTHERS: Mapping[str, tuple[Any, str]] = {
    "baseline": ("2025-02-15", "baseline"),
    "response": ("passthrough", "response"),
    "horizon": ("long", "horizon"),
    "parameter_set": ("high", "parameter_digest"),
    "by": (("hts2",), "by"),
    "known_on": ("2026-01-15", "known_on"),
    "switches": ({"usmca_basis": "2024"}, "switches"),
    "min_confidence": ("B", "min_conf"),
    "draws": (32, "draws"),
    "seed": (2, "draws"),
    "spreads": (Spreads(0.0, 0.0, 0.0), "draws"),
}
# These choose what is returned, not what is computed; the others have tests of their own.
ONLY_RETURNED = {"include_lines", "attribute"}
TESTED_APART = {
    "direction", "date_format", "to", "market", "consumer_prices", "ahead", "fx_offset", "reaction", "trend",
    "rivals", "score", "basis", "tax_offset", "collected", "gdp", "memory", "retaliation",
}  # fmt: skip


def _provenance(options: Options, table: pl.DataFrame = TABLE) -> Mapping[str, Any]:
    return impact(table, [Point(library()["base"], "2026-11-20")], law=load_law(), options=options).provenance


@pytest.fixture(scope="module")
def plain() -> Mapping[str, Any]:
    return _provenance(PLAIN)


def test_every_option_is_named_here() -> None:
    assert {field.name for field in fields(Options)} == set(OTHERS) | ONLY_RETURNED | TESTED_APART


@pytest.mark.parametrize("name", OTHERS)
def test_another_option_is_shown_and_changes_the_digest(name: str, plain: Mapping[str, Any]) -> None:
    value, entry = OTHERS[name]
    of_draws = entry == "draws"
    other = _provenance(replace(DRAWN if of_draws else PLAIN, **{name: value}))
    before = _provenance(DRAWN) if of_draws else plain
    assert other["run_digest"] != before["run_digest"]
    assert other[entry] != before[entry]


def test_what_is_returned_leaves_the_digest(plain: Mapping[str, Any]) -> None:
    returned: dict[str, Any] = dict.fromkeys(ONLY_RETURNED, True)
    assert _provenance(replace(PLAIN, **returned))["run_digest"] == plain["run_digest"]


def test_days_read_in_another_order_change_the_digest_of_the_table_and_of_the_run() -> None:
    table = TABLE.with_columns(entry_date=pl.lit("05/06/2026"))
    first, second = (_provenance(replace(PLAIN, date_format=order), table) for order in ("m/d/Y", "d/m/Y"))
    assert first["table_digest"] != second["table_digest"]
    assert first["run_digest"] != second["run_digest"]


def test_direction_and_destination_are_shown_and_change_the_digest() -> None:
    table = pl.DataFrame({"hts": ["12019000"], "origin": ["US"], "customs_value": [1e4]})
    static = replace(PLAIN, response="none", baseline="")
    given = [*((direction, "") for direction in DIRECTIONS), ("export", "CA")]
    found = [_provenance(replace(static, direction=direction, to=to), table) for direction, to in given]
    assert [one["direction"] for one in found] == [direction for direction, _ in given]
    assert len({one["run_digest"] for one in found}) == len(given)


def test_another_table_point_and_scenario_change_the_digest(plain: Mapping[str, Any]) -> None:
    law = load_law()
    digests = [plain["run_digest"], _provenance(PLAIN, TABLE.head(1))["run_digest"]]
    for name, on in (("base", "2026-11-21"), ("truce-lapses", "2026-11-20")):
        found = impact(TABLE, [Point(library()[name], on)], law=law, options=PLAIN)
        digests.append(found.provenance["run_digest"])
    assert len(set(digests)) == len(digests)
