"""Group results by industry and by world region: sums are those of the lines, own columns of these names come first."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from tariffs.client import Client
from tariffs.engine.schedule.reference_data import reference_table
from tariffs.importers.regions import rows_of

# Toys, a car, steel, computers, and scrap, which no industry makes.
LINES = pl.DataFrame(
    {
        "hts": ["9503.00.0073", "8703.80.0000", "7208.10.1500", "8471.30.0100", "7204.10.0000"],
        "origin": ["CN", "DE", "KR", "VN", "CA"],
        "customs_value": [1.0, 2.0, 4.0, 8.0, 16.0],
    }
)


def test_goods_are_grouped_by_the_industry_that_makes_them(client: Client) -> None:
    groups = client.impact(LINES, on="2026-11-20", by=["sector"], response="none").groups
    assert dict(groups.select("sector", "customs_value").iter_rows()) == {
        "339": 1.0, "3361MV": 2.0, "331": 4.0, "334": 8.0, None: 16.0,
    }  # fmt: skip


def test_partners_are_grouped_by_region_on_both_sides(client: Client) -> None:
    groups = client.impact(LINES, on="2026-11-20", by=["region"], response="none").groups
    assert dict(groups.select("region", "customs_value").iter_rows()) == {
        "Eastern Asia": 5.0, "Western Europe": 2.0, "Southeast Asia": 8.0, "Northern America": 16.0,
    }  # fmt: skip
    exports = client.impact(
        direction="export", to="CA", on="2026-11-20", by=["region"], response="none"
    ).groups
    assert exports["region"].to_list() == ["Northern America"]


def test_a_column_of_the_table_comes_before_a_key_of_its_name(client: Client) -> None:
    frame = LINES.with_columns(sector=pl.lit("mine"), region=pl.col("origin"))
    result = client.impact(frame, on="2026-11-20", by=["sector", "region"], response="none")
    assert set(result.groups["sector"]) == {"mine"}
    assert result.groups["region"].n_unique() == LINES.height


def test_sectors_hold_whole_products_and_regions_do_not(client: Client) -> None:
    table = reference_table().gather_every(200)
    options: Any = {"on": "2026-11-20", "horizon": "short", "baseline": "2025-01-01"}
    by_sector, by_region, products = (
        client.impact(table, by=[key], **options).groups for key in ("sector", "region", "hts10")
    )
    assert by_sector["buyer_surplus"].null_count() == 0
    assert by_region["buyer_surplus"].count() == 0
    assert by_sector["buyer_surplus"].sum() == pytest.approx(products["buyer_surplus"].sum(), rel=1e-9)


def test_the_importer_takes_the_direct_region_of_each_known_origin() -> None:
    contains = {
        "001": {"_contains": ["142"]},
        "035": {"_contains": ["VN", "XX"]},
        "EU": {"_contains": ["DE"]},
    }
    assert rows_of(contains, {"035": "Southeast Asia"}, frozenset({"VN", "DE"})) == [("VN", "Southeast Asia")]
