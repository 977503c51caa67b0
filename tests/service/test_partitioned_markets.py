"""Tables of several files under a market of sectors and limits on quantities: results are those of one table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from tariffs.client import Client, Scenario
from tariffs.client.errors import InvalidRequest
from tariffs.engine.response.industries import NO_INDUSTRY, industry_of
from tariffs.engine.schedule.reference_data import exports, reference_table
from tariffs.engine.tables import partitions
from tests.service.spread import BASELINE, ON, assert_close, assert_same, layouts, trade, write_files

pytestmark = pytest.mark.usefixtures("small_buckets")


SECTORS: dict[str, Any] = {"market": "sector", "horizon": "long", "baseline": BASELINE}


def sector_runs(client: Client, lines: Any, *scenarios: Any) -> dict[str, Any]:
    """Results of all verbs under a market of sectors."""
    return {
        "impact": client.impact(lines, ["base", *scenarios], on=ON, by=["hts2"], **SECTORS),
        "origins": client.impact(lines, ["base", *scenarios], on=ON, by=["origin"], **SECTORS),
        "sweep": client.sweep(
            lines, "rates-by-country", vary={"cn": ["0%", "10%"]}, on="2027-01-11", by=["hts4"], **SECTORS
        ),
        "timeline": client.timeline(
            lines, ["base"], start="2025-03-01", end="2025-05-01", by=["hts2"], **SECTORS
        ),
    }


def test_a_market_of_sectors_is_that_of_one_table_whatever_the_files(
    client: Client, tmp_path: Path, scale: int
) -> None:
    table = trade(900)
    folder = write_files(table, tmp_path / "table", [200, 201, 600])
    found, wanted = (sector_runs(client, lines, OF_EACH, TOGETHER) for lines in (folder, table))
    assert wanted["impact"].total["domestic_shipments"].min() > 0.0
    assert_close(found, wanted)
    for other in layouts(table, tmp_path, scale, seed=17):
        assert_same(sector_runs(client, other, OF_EACH, TOGETHER), found)


def test_goods_without_an_industry_may_have_a_nest_of_their_own(client: Client, tmp_path: Path) -> None:
    parameters = tmp_path / "own.csv"
    parameters.write_text("hts,domestic_ratio,kappa,eta\n7802,3,4,1\n4707,2,4,1\n7902,2,4,1\n")
    # Scrap has no industry: of lead, paper and zinc.
    outside = reference_table().filter(pl.col("hts").str.contains("^(7802|4707|7902)"))
    assert set(industry_of(outside["hts"].to_list())) == {NO_INDUSTRY}
    table = pl.concat([trade(600), outside], how="diagonal_relaxed")
    folder = write_files(table, tmp_path / "table", [300])
    found, wanted = (
        client.impact(lines, ["base"], on=ON, by=["hts2"], parameters=parameters, **SECTORS)
        for lines in (folder, table)
    )
    assert wanted.groups.filter(hts2="78")["domestic_shipments"].item() > 0.0
    assert_close({"impact": found}, {"impact": wanted})


def test_a_market_of_sectors_is_refused_on_the_path(client: Client, tmp_path: Path) -> None:
    folder = write_files(trade(50), tmp_path / "table", [])
    with pytest.raises(InvalidRequest, match="mean age") as caught:
        client.impact(folder, ["base"], on=ON, baseline=BASELINE, market="sector")
    assert caught.value.field == "horizon"


def limited(*bodies: str) -> Scenario:
    """Scenario with a limit on quantities for each body."""
    changes = "".join(f"  - {{op: shock_quantity, from: 2025-02-01, {body}}}\n" for body in bodies)
    return Scenario.from_text(
        f"schema: tariffs.scenario/v1\nid: test-limit\ntitle: Limits\nbasis: hypothesis\nchanges:\n{changes}"
    )


OF_EACH = limited("share: 0.5, origins: [CN], rents: exporter", "share: 80%, origins: [MX], products: ['87']")
TOGETHER = limited(
    "limit: 20000000, origins: [CN], products: ['84', '85', '61'], rents: government",
    "floor: 9000000000, origins: [DE, JP], products: ['84', '9018']",
)
"""Limits that bind together in the tables of these tests, the second in a part of the goods of the first."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("market", "scenario"),
    [("product", OF_EACH), ("sector", TOGETHER)],
    ids=["each", "sectors together"],
)
def test_draws_with_links_between_products_are_those_of_one_table(
    client: Client, tmp_path: Path, market: str, scenario: Scenario
) -> None:
    table = trade(700)
    folder = write_files(table, tmp_path / "table", [300])
    shuffled = write_files(table.sample(fraction=1, shuffle=True, seed=1), tmp_path / "other", [100, 200])
    options: dict[str, Any] = {
        "on": ON, "baseline": BASELINE, "by": ["hts2"], "draws": 16, "horizon": "long", "market": market,
    }  # fmt: skip
    found, other, wanted = (
        client.impact(lines, [scenario], **options).ranges for lines in (folder, shuffled, table)
    )
    assert found is not None
    assert other is not None
    assert wanted is not None
    for name in ("groups", "total", "tornado"):
        frame = getattr(wanted, name)
        keys = [key for key in ("scenario", "hts2", "column", "parameter") if key in frame.columns]
        both = [getattr(one, name).sort(keys, maintain_order=True) for one in (found, wanted)]
        assert_frame_equal(*both, rel_tol=1e-7, abs_tol=1e-3)
        assert getattr(other, name).equals(getattr(found, name))


def limit_runs(client: Client, lines: Any, scenario: Scenario) -> dict[str, Any]:
    """Results of all verbs under limits on quantities; a timeline at the horizon `path`."""
    common: dict[str, Any] = {"baseline": BASELINE}
    limits = dict(on=ON, horizon="short", **common)
    return {
        "impact": client.impact(lines, ["base", scenario], by=["hts2", "origin"], **limits),
        "authority": client.impact(lines, [scenario], by=["authority"], **limits),
        "sweep": client.sweep(
            lines, scenario, vary={"elasticity.sigma": ["x1", "x0.5"]}, by=["origin"], **limits
        ),
        "timeline": client.timeline(
            lines, [scenario], start="2025-01-15", end="2025-03-20", by=["origin"], **common
        ),
    }


@pytest.mark.parametrize("scenario", [OF_EACH, TOGETHER], ids=["each", "together"])
def test_limits_on_quantities_are_those_of_one_table_whatever_the_files(
    client: Client, tmp_path: Path, scenario: Scenario, scale: int
) -> None:
    table = trade(900)
    found = limit_runs(client, write_files(table, tmp_path / "table", [200, 201, 600]), scenario)
    wanted = limit_runs(client, table, scenario)
    total = wanted["impact"].total.filter(scenario="test-limit")
    assert abs(total["quota_premium"].item()) > 0.1
    assert_close(found, wanted)
    for verb in ("impact", "sweep"):
        about = [
            sorted(note.message for note in result[verb].notes if note.reason.startswith("QUANTITY"))
            for result in (found, wanted)
        ]
        assert about[0] == about[1]
        assert about[1]
    for folder in layouts(table, tmp_path, scale, seed=11):
        assert_same(limit_runs(client, folder, scenario), found)


def test_commitments_to_buy_are_those_of_one_table(client: Client, tmp_path: Path) -> None:
    """Exports of grains and meat, of many products, under commitments with an assumption on compliance."""
    text = """
schema: tariffs.scenario/v1
id: test-kept
title: Commitments are kept
basis: hypothesis
assumptions:
  compliance: {cn.commitment_soybeans: 100%, cn.commitment_farm: 80%}
"""
    table = exports("CN").filter(pl.col("hts").str.contains("^(02|08|10|12|84)"))
    folder = write_files(table, tmp_path / "table", [50])
    assert partitions.PartitionedTable.of(str(folder)).buckets > 1
    options: dict[str, Any] = {"on": "2026-06-01", "baseline": BASELINE, "direction": "export", "to": "CN"}
    found, wanted = (
        client.impact(lines, [Scenario.from_text(text)], by=["hts2"], **options) for lines in (folder, table)
    )
    assert wanted.total["rent_importer"].item() < 0.0
    assert_close({"impact": found}, {"impact": wanted})
    about = [
        sorted(note.message for note in one.notes if note.reason == "QUANTITY_FLOOR")
        for one in (found, wanted)
    ]
    assert about[0] == about[1]
    assert sum("It binds" in text for text in about[0]) == 2


def test_a_sweep_that_switches_a_limit_on_has_its_goods_together(client: Client, tmp_path: Path) -> None:
    text = """
schema: tariffs.scenario/v1
id: test-switch
title: A limit that may hold
basis: hypothesis
parameters:
  held: {default: "on"}
changes:
  - {op: shock_quantity, from: 2025-02-01, limit: 20000000, origins: [CN], products: ['84', '85'], when: $held}
"""
    scenario = Scenario.from_text(text)
    options: dict[str, Any] = {
        "on": ON,
        "baseline": BASELINE,
        "horizon": "short",
        "vary": {"held": ["off", "on"]},
    }
    table = trade(900)
    found = client.sweep(write_files(table, tmp_path / "table", [300]), scenario, **options)
    wanted = client.sweep(table, scenario, **options)
    assert wanted.totals["rent_importer"].to_list()[1] > 0.0
    assert_close({"sweep": found}, {"sweep": wanted})


def test_limits_on_the_path_are_those_of_one_table(client: Client, tmp_path: Path) -> None:
    undated = write_files(trade(700).drop("entry_date"), tmp_path / "undated", [100])
    found, wanted = (
        client.impact(lines, [OF_EACH], on=ON, baseline=BASELINE)
        for lines in (undated, trade(700).drop("entry_date"))
    )
    assert_close({"impact": found}, {"impact": wanted})
