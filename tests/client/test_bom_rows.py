"""Rows of bills of materials that cannot be used: each is named, and costs nothing but itself."""

from __future__ import annotations

import time
from collections.abc import Mapping

import polars as pl
import pytest

from tariffs.client import Client
from tests.client.conftest import refuses

DAY, TOYS = "2026-11-24", "9503000073"
LINE = {"part": "bad", "parent": "top", "hts": TOYS, "origin": "CN", "unit_cost": "1"}
BAD = {
    "HTS_CODE_UNKNOWN": LINE | {"hts": "9999999999"},
    "HTS_CODE_MALFORMED": LINE | {"hts": "toys"},
    "BOM_PARENT_UNKNOWN": LINE | {"parent": "tup"},
    "BOM_YIELD_INVALID": LINE | {"yield": "0"},
    "UNIT_COST_MISSING": LINE | {"unit_cost": ""},
    "ORIGIN_UNKNOWN": LINE | {"origin": "Atlantis"},
    "BOM_PART_MISSING": LINE | {"part": ""},
    "QUANTITY_INVALID": {"part": "bad", "parent": "top", "quantity": "-2"},
    "CLAIM_INVALID": LINE | {"usmca_share": "2"},
    "BOM_ROW_REPEATED": LINE | {"part": "doll", "unit_cost": "2"},
    "RATE_NOT_COMPUTABLE": LINE | {"hts": "9102.11.10.10", "unit_cost": "90"},
}
GOOD = [
    {"part": "top"},
    {"part": "doll", "parent": "top", "quantity": "2", "hts": TOYS, "origin": "CN", "unit_cost": "3.5"},
    {"part": "box", "parent": "top", "hts": "4819.10.00.40", "origin": "VN", "unit_cost": "0.8"},
]
COLUMNS = ("part", "parent", "quantity", "yield", "hts", "origin", "unit_cost", "usmca_share")


def table_of(*rows: Mapping[str, str]) -> pl.DataFrame:
    types = dict.fromkeys(COLUMNS, pl.String)
    return pl.DataFrame({name: [row.get(name) for row in rows] for name in COLUMNS}, schema_overrides=types)


@pytest.mark.parametrize("reason", BAD)
def test_a_bad_row_is_named_and_costs_nothing_but_itself(client: Client, reason: str) -> None:
    options = {"on": DAY, "until": DAY, "units": 100}
    alone = client.bom(table_of(*GOOD), **options)  # type: ignore[arg-type]  # options of any type
    beside = client.bom(table_of(*GOOD, BAD[reason]), **options)  # type: ignore[arg-type]  # options of any type
    assert beside.scenarios[0].total == alone.scenarios[0].total
    assert alone.refused.is_empty()
    if reason == "RATE_NOT_COMPUTABLE":
        # A law of another day may compute it: it is no fault of the row.
        assert beside.refused.is_empty()
        (left,) = beside.scenarios[0].left_out
        assert left.rows == (3,)
        return
    (row,) = beside.refused.iter_rows(named=True)
    assert (row["row"], row["reason"]) == (3, reason)
    assert row["message"]
    rows_left = [(one.reason, one.rows) for one in beside.scenarios[0].left_out]
    assert rows_left == ([] if reason == "BOM_ROW_REPEATED" else [(reason, (3,))])


DOLL = GOOD[1] | {"part": "bad"}
HOSTILE = [
    ({"quantity": "NaN"}, "QUANTITY_INVALID"),
    ({"quantity": "1e999999999"}, "QUANTITY_INVALID"),
    ({"unit_cost": "-Infinity"}, "CUSTOMS_VALUE_INVALID"),
    ({"unit_cost": "9" * 5_000}, "CUSTOMS_VALUE_INVALID"),
    ({"quantity": "9" * 14, "unit_cost": "9" * 14}, "CUSTOMS_VALUE_INVALID"),
    ({"yield": "NaN"}, "BOM_YIELD_INVALID"),
    ({"usmca_share": "NaN"}, "CLAIM_INVALID"),
    ({"part": "x" * 300_000}, "REQUEST_INVALID"),
    ({"parent": "\0"}, "BOM_PARENT_UNKNOWN"),
]
NAMES = ("=HYPERLINK(1)", "@SUM(A1)", "a\0b", "\u202ea\ufeffb", "a\nb")


def test_hostile_cells_are_named_and_hostile_names_are_names(client: Client) -> None:
    rows = [
        DOLL | cells | ({} if "part" in cells else {"part": f"bad-{place}"})
        for place, (cells, _) in enumerate(HOSTILE)
    ]
    rows += [DOLL | {"part": name} for name in NAMES]
    found = client.bom(table_of(*GOOD, *rows), on=DAY, until=DAY)
    refused = found.refused.select("row", "reason").rows()
    assert refused == [(len(GOOD) + place, reason) for place, (_, reason) in enumerate(HOSTILE)]
    assert found.scenarios[0].parts["part"].to_list()[-len(NAMES) :] == list(NAMES)


def test_deep_bills_and_many_lost_parents_take_seconds(client: Client) -> None:
    deep = [{"part": f"a{n}", "parent": f"a{n - 1}" if n else "top"} for n in range(10_000)]
    lost = [DOLL | {"part": f"lost-{n}", "parent": f"part-{n}"} for n in range(5_000)]
    start = time.process_time()
    found = client.bom(table_of(*GOOD, *deep, DOLL | {"parent": "a9999"}, *lost), on=DAY, until=DAY)
    assert time.process_time() - start < 30
    assert found.scenarios[0].parts["level"].max() == 10_001
    assert found.refused["reason"].unique().to_list() == ["BOM_PARENT_UNKNOWN"]
    assert found.refused.height == len(lost)


def test_more_rows_than_a_call_may_have_are_refused(client: Client) -> None:
    with refuses("REQUEST_INVALID", "rows", "20,000"):
        client.bom(table_of(*[{"part": "a"}] * 20_001), on=DAY)


def test_quantities_that_multiply_beyond_all_bounds_are_refused(client: Client) -> None:
    chain = [{"part": f"a{n}", "parent": f"a{n - 1}" if n else "top", "quantity": "9" * 14} for n in range(5)]
    last = {"part": "z", "parent": "a4", "hts": TOYS, "origin": "CN", "unit_cost": "1"}
    found = client.bom(table_of(*GOOD, *chain, last), on=DAY, until=DAY)
    assert found.refused["reason"].to_list() == ["QUANTITY_INVALID", *["BOM_PARENT_REFUSED"] * 4]
    assert found.scenarios[0].total.value == 8


def test_a_cycle_and_what_is_below_it_are_refused(client: Client) -> None:
    last = GOOD[1] | {"part": "c", "parent": "b"}
    cycle = [{"part": "a", "parent": "b"}, {"part": "b", "parent": "a"}, last, {"part": "d", "parent": "d"}]
    found = client.bom(table_of(*GOOD, *cycle), on=DAY, until=DAY)
    assert found.refused["reason"].to_list() == ["BOM_CYCLE", "BOM_CYCLE", "BOM_PARENT_REFUSED", "BOM_CYCLE"]
    assert found.scenarios[0].total == client.bom(table_of(*GOOD), on=DAY, until=DAY).scenarios[0].total
    assert found.scenarios[0].left_out_count == 4


@pytest.mark.parametrize(
    ("options", "reason", "field"),
    [
        ({"units": 0}, "REQUEST_INVALID", "units"),
        ({"origins": ["XX"]}, "ORIGIN_UNKNOWN", "origin"),
        ({"until": "2035-01-01"}, "ENTRY_DATE_OUT_OF_COVERAGE", "until"),
        ({"table": pl.DataFrame({"part": ["a"]})}, "COLUMN_MISSING", "parent"),
        ({"table": pl.DataFrame({"part": [], "parent": []})}, "TABLE_EMPTY", "rows"),
    ],
)
def test_bom_names_a_wrong_field(client: Client, options: dict[str, object], reason: str, field: str) -> None:
    with refuses(reason, field):
        client.bom(**{"table": table_of(*GOOD), "on": DAY} | options)  # type: ignore[arg-type]  # wrong on purpose
