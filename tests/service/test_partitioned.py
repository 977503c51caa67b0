"""Tables of several files: results depend on their rows alone; files and rows that are wrong are named.

Every option over files beside one table is among the cases of tests/client/run_cases.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from tariffs.client import Client, Scenario
from tariffs.client.errors import InvalidRequest
from tariffs.engine.tables import partitions
from tests.service.spread import BASELINE, ON, assert_close, assert_same, layouts, trade, verbs, write_files

pytestmark = pytest.mark.usefixtures("small_buckets")


def test_results_are_the_same_bits_whatever_the_files(client: Client, tmp_path: Path, scale: int) -> None:
    table = trade(900)
    folder = write_files(table, tmp_path / "table", [300, 301, 600])
    assert partitions.PartitionedTable.of(str(folder)).buckets == 3
    found = verbs(client, folder)
    for other in layouts(table, tmp_path, scale, seed=3):
        assert_same(verbs(client, other), found)


def test_lines_are_written_by_bucket(client: Client, tmp_path: Path) -> None:
    table = trade(900)
    folder, lines = write_files(table, tmp_path / "table", [300]), tmp_path / "lines"
    options: dict[str, Any] = {"on": ON, "baseline": BASELINE, "horizon": "short"}
    found = client.impact(folder, ["base"], **options, lines_to=lines)
    files = sorted((lines / f"base-{ON}").glob("*.parquet"))
    assert len(files) == 3
    keys = ["hts", "origin", "entry_date", "customs_value", "team"]
    written = pl.concat([pl.read_parquet(file) for file in files]).sort(keys)
    wanted = client.impact(table, ["base"], **options, include_lines=True).lines
    assert wanted is not None
    assert_frame_equal(written, wanted.select(written.columns).sort(keys), rel_tol=1e-9)
    provenance = json.loads((lines / "provenance.json").read_text())
    assert provenance["run_digest"] == dict(found.provenance)["run_digest"]
    with pytest.raises(InvalidRequest, match="partitioned table alone"):
        client.impact(table, ["base"], **options, lines_to=lines)


def test_a_pattern_names_the_files_and_refused_rows_their_file_and_row(
    client: Client, tmp_path: Path
) -> None:
    table = trade(300).with_row_index("number")
    bad = table.with_columns(
        origin=pl.when(pl.col("number") == 150).then(pl.lit("Atlantis")).otherwise("origin"),
        hts=pl.when(pl.col("number") == 250).then(pl.lit(None)).otherwise("hts"),
    ).drop("number")
    folder = write_files(bad, tmp_path / "table", [100, 200])
    (folder / "other.txt").write_text("no table")
    refused = client.impact(str(folder / "part-*.parquet"), ["base"], on=ON, response="none").refused
    assert refused.select("file", "row", "column").rows() == [
        (str(folder / "part-01.parquet"), 50, "origin"),
        (str(folder / "part-02.parquet"), 50, "hts"),
    ]


def test_a_server_takes_no_partitioned_table(tmp_path: Path) -> None:
    folder = write_files(trade(50), tmp_path / "table", [])
    with Client("localhost:1") as remote, pytest.raises(InvalidRequest, match="one table"):
        remote.impact(folder, ["base"], on=ON)


TOGETHER = """schema: tariffs.scenario/v1
id: test-limit
title: Limits over goods that files hold apart
basis: hypothesis
changes:
  - {op: shock_quantity, from: 2025-02-01, limit: 20000000, origins: [CN], products: ['84', '85', '61']}
  - {op: shock_quantity, from: 2025-02-01, floor: 9000000000, origins: [DE, JP], products: ['84', '9018']}
"""


@pytest.mark.parametrize("market", ["product", "sector"])
def test_limits_that_bind_goods_of_several_files_together_are_those_of_one_table(
    client: Client, tmp_path: Path, scale: int, market: str
) -> None:
    table, scenario = trade(900), Scenario.from_text(TOGETHER)
    options: dict[str, Any] = {"on": ON, "baseline": BASELINE, "by": ["hts2"], "horizon": "long"}

    def run(lines: Any) -> Any:
        return client.impact(lines, ["base", scenario], market=market, **options)

    found, wanted = run(write_files(table, tmp_path / "table", [200, 201, 600])), run(table)
    assert abs(wanted.total.filter(scenario="test-limit")["quota_premium"].item()) > 0.1
    assert_close({"impact": found}, {"impact": wanted})
    about = [[one.message for one in of.notes if one.reason.startswith("QUANTITY")] for of in (found, wanted)]
    assert sorted(about[0]) == sorted(about[1]) != []
    for folder in layouts(table, tmp_path, scale, seed=11):
        assert_same({"impact": run(folder)}, {"impact": found})


@pytest.mark.parametrize(
    ("spoil", "reason", "text"),
    [
        (lambda file: file.write_bytes(file.read_bytes()[:200]), "PARTITION_UNREADABLE", r"part-01\.parquet"),
        (lambda file: trade(10).drop("team").write_parquet(file), "PARTITION_UNREADABLE", "differ"),
        (lambda file: [one.unlink() for one in file.parent.iterdir()], "TABLE_EMPTY", "."),
    ],
    ids=["broken", "other columns", "empty"],
)
def test_files_that_are_no_table_together_are_refused(
    client: Client, tmp_path: Path, spoil: Callable[[Path], None], reason: str, text: str
) -> None:
    folder = write_files(trade(300), tmp_path / "table", [100, 200])
    spoil(folder / "part-01.parquet")
    with pytest.raises(InvalidRequest, match=text) as caught:
        client.impact(folder, ["base"], on=ON, response="none")
    assert caught.value.reason == reason
