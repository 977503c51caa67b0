"""Tables of several files: results depend on their rows alone, and agree with those of one table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from tariffs.client import Client
from tariffs.client.errors import InvalidRequest
from tariffs.engine.schedule import reference_data
from tariffs.engine.tables import partitions
from tests.client import run_cases
from tests.service.spread import BASELINE, ON, assert_close, assert_same, layouts, trade, verbs, write_files

pytestmark = pytest.mark.usefixtures("small_buckets")


def test_results_are_those_of_one_table_whatever_the_files(
    client: Client, tmp_path: Path, scale: int
) -> None:
    table = trade(1_500)
    folder = write_files(table, tmp_path / "table", [300, 301, 900])
    assert partitions.PartitionedTable.of(str(folder)).buckets == 4
    found = verbs(client, folder)
    assert_close(found, verbs(client, table))
    for other in layouts(table, tmp_path, scale, seed=3):
        assert_same(verbs(client, other), found)


@pytest.mark.parametrize("scenario", ["base", "limit"])
def test_ages_count_to_the_last_entry_date_of_all_parts(
    client: Client, tmp_path: Path, scenario: str
) -> None:
    table = trade(900)
    is_late = pl.col("hts") == table["hts"][0]
    dates = pl.when(is_late).then(pl.lit("2027-01-20")).otherwise(pl.lit("2025-12-15"))
    table = table.with_columns(entry_date=dates)
    folder = write_files(table, tmp_path / "table", [300, 301])
    scenarios: list[Any] = [run_cases.SCENARIOS.get(scenario, scenario)]
    options: dict[str, Any] = {"on": ON, "baseline": BASELINE, "by": ["hts2"], "horizon": "path"}
    found, wanted = (client.impact(lines, scenarios, **options) for lines in (folder, table))
    assert_close({"impact": found}, {"impact": wanted})


@pytest.mark.slow
def test_many_layouts_give_the_same_bits(client: Client, tmp_path: Path, scale: int) -> None:
    table = trade(500)
    options: dict[str, Any] = {"on": ON, "baseline": BASELINE, "by": ["origin", "hts2"], "horizon": "short"}
    wanted = client.impact(write_files(table, tmp_path / "first", []), ["base"], **options)
    for folder in layouts(table, tmp_path, 10 if scale == 1 else 50, seed=5, most_cuts=8):
        found = client.impact(folder, ["base"], **options)
        assert_same({"impact": found}, {"impact": wanted})


@pytest.mark.slow
@pytest.mark.parametrize(("by", "market"), [("origin", "product"), ("authority", "sector")])
def test_draws_are_those_of_one_table(client: Client, tmp_path: Path, by: str, market: str) -> None:
    table = trade(700)
    folder = write_files(table, tmp_path / "table", [300])
    shuffled = write_files(table.sample(fraction=1, shuffle=True, seed=1), tmp_path / "other", [100, 200])
    options: dict[str, Any] = {
        "on": ON, "baseline": BASELINE, "by": [by], "draws": 16, "horizon": "short", "market": market,
    }  # fmt: skip
    scenarios = ["base", "truce-lapses"]
    of_files, of_table = (client.impact(lines, scenarios, **options) for lines in (folder, table))
    found, wanted = of_files.ranges, of_table.ranges
    first, second = (dict[str, Any](one.provenance)["details"]["draws"] for one in (of_files, of_table))
    assert first == second
    assert found is not None
    assert wanted is not None
    for name in ("groups", "total", "tornado"):
        keys = [
            key for key in ("scenario", by, "column", "parameter") if key in getattr(wanted, name).columns
        ]
        both = [getattr(one, name).sort(keys, maintain_order=True) for one in (found, wanted)]
        assert_frame_equal(*both, rel_tol=1e-7, abs_tol=1e-3)
    other = client.impact(shuffled, scenarios, **options).ranges
    assert other is not None
    assert other.groups.equals(found.groups)
    assert other.tornado.equals(found.tornado)


def test_sectors_of_exact_hat_are_those_of_one_table(client: Client, tmp_path: Path) -> None:
    table = trade(1_500)
    options: dict[str, Any] = {"on": ON, "baseline": BASELINE, "by": ["hts2"], "response": "exact_hat"}
    wanted = client.impact(table, ["base"], **options)
    first, other = (
        client.impact(write_files(table, tmp_path / name, cuts), ["base"], **options)
        for name, cuts in (("first", [300, 301, 900]), ("other", [40]))
    )
    assert_close({"impact": first}, {"impact": wanted})
    assert_same({"impact": other}, {"impact": first})


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
    assert (
        json.loads((lines / "provenance.json").read_text())["run_digest"]
        == dict(found.provenance)["run_digest"]
    )
    with pytest.raises(InvalidRequest, match="partitioned table alone"):
        client.impact(table, ["base"], **options, lines_to=lines)


def test_a_pattern_names_the_files(client: Client, tmp_path: Path) -> None:
    table = trade(300)
    folder = write_files(table, tmp_path / "table", [100, 200])
    (folder / "other.txt").write_text("no table")
    found = client.impact(str(folder / "part-*.parquet"), ["base"], on=ON, response="none")
    wanted = client.impact(table, ["base"], on=ON, response="none")
    assert_close({"impact": found}, {"impact": wanted})


def test_refused_rows_name_their_file_and_row(client: Client, tmp_path: Path) -> None:
    table = trade(300).with_row_index("number")
    bad = table.with_columns(
        origin=pl.when(pl.col("number") == 150).then(pl.lit("Atlantis")).otherwise("origin"),
        hts=pl.when(pl.col("number") == 250).then(pl.lit(None)).otherwise("hts"),
    ).drop("number")
    folder = write_files(bad, tmp_path / "table", [100, 200])
    refused = client.impact(folder, ["base"], on=ON, response="none").refused
    assert refused.select("file", "row", "column").rows() == [
        (str(folder / "part-01.parquet"), 50, "origin"),
        (str(folder / "part-02.parquet"), 50, "hts"),
    ]


def test_a_broken_file_is_named(client: Client, tmp_path: Path) -> None:
    folder = write_files(trade(300), tmp_path / "table", [100, 200])
    path = folder / "part-01.parquet"
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(InvalidRequest, match=r"part-01\.parquet") as caught:
        client.impact(folder, ["base"], on=ON, response="none")
    assert caught.value.reason == "PARTITION_UNREADABLE"


def test_files_have_the_same_columns(client: Client, tmp_path: Path) -> None:
    folder = write_files(trade(300), tmp_path / "table", [100])
    trade(10).drop("team").write_parquet(folder / "part-09.parquet")
    with pytest.raises(InvalidRequest, match="differ") as caught:
        client.impact(folder, ["base"], on=ON, response="none")
    assert caught.value.reason == "PARTITION_UNREADABLE"


def test_a_directory_without_files_is_no_table(client: Client, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest) as caught:
        client.impact(tmp_path, ["base"], on=ON, response="none")
    assert caught.value.reason == "TABLE_EMPTY"


ABROAD = {"direction": "export", "horizon": "short"}


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("fx_offset", {"fx_offset": 0.5}),
        ("include_lines", {"include_lines": True}),
    ],
)
def test_options_that_need_the_whole_table_are_refused(
    client: Client, tmp_path: Path, name: str, options: dict[str, Any]
) -> None:
    folder = write_files(trade(50), tmp_path / "table", [])
    with pytest.raises(InvalidRequest, match="partitioned") as caught:
        client.impact(folder, ["base"], on=ON, baseline=BASELINE, **options)
    assert caught.value.field == name


def test_answers_of_partners_are_those_of_one_table(client: Client, tmp_path: Path) -> None:
    goods = pl.concat(
        reference_data.exports(market)
        .head(40)
        .select("hts", "origin", "customs_value", destination=pl.lit(market))
        for market in ("CN", "CA")
    )
    folder = write_files(goods, tmp_path / "table", [30])
    options: dict[str, Any] = {"on": "2027-02-01", "baseline": BASELINE, "reaction": 1.0, **ABROAD}
    scenarios = ["base", "forced-labor-20-on-china"]
    found, wanted = (client.impact(lines, scenarios, **options) for lines in (folder, goods))
    facts: list[Any] = [result.provenance["details"] for result in (found, wanted)]
    assert facts[0]["reaction"] == facts[1]["reaction"]
    assert facts[0]["reaction"]["rates"]["forced-labor-20-on-china@2027-02-01"]["CN"] > 0.0
    for name in ("duty", "value_after"):
        assert found.total[name].to_list() == pytest.approx(wanted.total[name].to_list(), rel=1e-12)


@pytest.mark.parametrize("method", ["yale", "percent_2024"])
def test_consumer_prices_are_those_of_one_table(client: Client, tmp_path: Path, method: str) -> None:
    table = trade(1_500)
    folder = write_files(table, tmp_path / "table", [300, 301, 900])
    options: dict[str, Any] = {"on": ON, "baseline": BASELINE, "consumer_prices": method, "response": "none"}
    found, wanted = (
        client.impact(lines, ["base", "truce-lapses"], by=["authority"], **options).consumer_prices
        for lines in (folder, table)
    )
    assert found is not None
    assert wanted is not None
    assert wanted["change"].to_numpy().max() > 1e-6
    # The prices are small: a share of imports is a share of a share of consumption.
    assert_frame_equal(found, wanted, rel_tol=1e-12, abs_tol=1e-18)
    with pytest.raises(InvalidRequest) as caught:
        client.impact(folder, ["base"], on=ON, consumer_prices=method, response="none")
    assert caught.value.reason == "BASELINE_REQUIRED"


def test_consumer_prices_do_not_depend_on_the_files(client: Client, tmp_path: Path, scale: int) -> None:
    table = trade(900)
    options: dict[str, Any] = {"on": ON, "baseline": BASELINE, "consumer_prices": "yale", "horizon": "short"}
    wanted = client.impact(write_files(table, tmp_path / "first", [200]), ["base"], **options)
    for folder in layouts(table, tmp_path, 2 * scale, seed=23):
        found = client.impact(folder, ["base"], **options)
        assert_same({"impact": found}, {"impact": wanted})


def test_a_server_takes_no_partitioned_table(tmp_path: Path) -> None:
    folder = write_files(trade(50), tmp_path / "table", [])
    with Client("localhost:1") as remote, pytest.raises(InvalidRequest, match="one table"):
        remote.impact(folder, ["base"], on=ON)
