"""Embedded trade of 2024 and shares: totals and rows as published, codes of no schedule, the build from the sources."""

from __future__ import annotations

import csv
from pathlib import Path

import polars as pl
import pytest

from tariffs.engine.errors import InputError
from tariffs.engine.law import load_law
from tariffs.engine.runs.impact import Impact, Options, Point, impact
from tariffs.engine.scenario import library
from tariffs.engine.schedule import reference_data
from tariffs.engine.schedule.countries import is_country
from tariffs.engine.schedule.equivalents import DATA
from tariffs.importers import countries, exports, markets

LAW = load_law()
SOURCE = Path(__file__).parents[2].parent / "shared" / "data"
NO_CODE = "999999"
needs_source = pytest.mark.skipif(not SOURCE.is_dir(), reason="the folder of public sources is not here")


def test_rows_and_totals_of_imports_are_the_published_ones() -> None:
    table = reference_data.reference_table()
    by_origin = dict(table.group_by("origin").agg(pl.col("customs_value").sum()).iter_rows())
    assert (len(table), len(by_origin)) == (334_728, 232)
    assert table["customs_value"].sum() == 3_123_773_412_637
    billions = {o: round(by_origin[o] / 1e9, 2) for o in ("CN", "MX", "CA", "JP", "VN")}
    assert billions == {"CN": 417.99, "MX": 491.61, "CA": 392.47, "JP": 144.86, "VN": 139.50}
    assert table.select("hts", "origin").is_duplicated().sum() == 0
    assert table["hts"].str.contains(r"^\d{10}$").all()
    assert all(is_country(origin) for origin in by_origin)
    values = {(hts, origin): value for hts, origin, value in table.iter_rows()}
    for hts, origin, dollars in (
        ("0101210010", "CA", 809_426),
        ("2709001000", "CA", 70_232_922_089),
        ("8517130000", "CN", 40_679_904_773),
        ("8703230140", "JP", 12_373_053_392),
        ("0901110025", "BR", 1_681_100_314),
        ("7318158066", "CA", 97_802_928),
    ):
        assert values[hts, origin] == dollars


def test_usmca_shares_are_shares_and_settled_claiming_is_higher_than_that_of_2024() -> None:
    table = reference_data.reference_table()
    claimed: dict[tuple[str, str], float] = {}
    for basis in ("2025h2", "2025", "2024"):
        shares = reference_data.usmca_shares(basis)
        assert set(shares["origin"].unique()) == {"CA", "MX"}
        assert shares["share"].is_between(0.0, 1.0).all()
        assert shares["share"].null_count() == 0
        frame = shares.join(table, left_on=["code", "origin"], right_on=["hts", "origin"])
        mean = (pl.col("share") * pl.col("customs_value")).sum() / pl.col("customs_value").sum()
        claimed |= {(basis, o): share for o, share in frame.group_by("origin").agg(mean).iter_rows()}
    assert claimed["2024", "CA"] == pytest.approx(0.40, abs=0.01)
    assert claimed["2025h2", "CA"] == pytest.approx(0.92, abs=0.01)
    assert claimed["2025h2", "MX"] == pytest.approx(0.88, abs=0.01)


def test_metal_is_the_whole_value_in_its_own_chapters_and_never_more_than_all() -> None:
    codes = reference_data.code_values()["hts"]
    shares = reference_data.metal_shares_of(codes)
    assert shares["code"].to_list() == codes.to_list()
    total = shares["steel"] + shares["aluminum"] + shares["copper"]
    assert total.max() <= 1.0 + 1e-12  # type: ignore[operator]
    for chapter, metal in (("72", "steel"), ("73", "steel"), ("74", "copper"), ("76", "aluminum")):
        own = shares.filter(pl.col("code").str.starts_with(chapter))
        assert (own[metal] == 1.0).all()


def test_preference_shares() -> None:
    shares = reference_data.preference_shares()
    assert shares["share"].is_between(0.0, 1.0).all()
    assert shares.select("hts2", "origin").is_duplicated().sum() == 0
    by_key = {
        (origin, hts2): share for hts2, origin, share in shares.select("hts2", "origin", "share").iter_rows()
    }
    assert by_key["KR", "87"] > 0.5
    assert ("XX", "87") not in by_key


def run(to: str, *scenarios: str, on: str = "2027-02-01", **options: object) -> Impact:
    points = [Point(library()[name], on) for name in scenarios or ("base",)]
    chosen = Options(direction="export", to=to, response="none", **options)  # type: ignore[arg-type]
    return impact(None, points, law=LAW, options=chosen)


@pytest.mark.parametrize(
    ("to", "rows", "total"), [("CN", 4105, 143_545_716_168), ("CA", 1288, 73_170_345_317)]
)
def test_exports_by_subheading_sum_to_the_published_totals(to: str, rows: int, total: int) -> None:
    table = reference_data.exports(to)
    assert (table.height, int(table["customs_value"].sum())) == (rows, total)
    assert table["hts"].is_unique().all()
    assert set(table["origin"]) == {"US"}


def test_exports_by_chapter_sum_to_the_published_totals() -> None:
    table = reference_data.exports_by_chapter()
    assert int(table["customs_value"].sum()) == 2_061_690_757_601
    billions = dict(table.group_by("destination").agg(pl.col("customs_value").sum() / 1e9).iter_rows())
    published = {"CN": 143.2, "CA": 349.9, "MX": 334.0, "JP": 79.0}
    assert {name: round(billions[name], 1) for name in published} == published


def test_the_code_outside_the_harmonized_system_is_named_and_not_rated() -> None:
    """Code 999999 is chapter 98 and civil aircraft: the table by chapter has the aircraft in chapter 88."""
    odd = reference_data.exports("CN").filter(hts=NO_CODE)["customs_value"].sum()
    chapters = reference_data.exports_by_chapter().filter(destination="CN")
    in_chapters = chapters.filter(pl.col("hts2").is_in(["88", "98"]))["customs_value"].sum()
    assert odd == pytest.approx(in_chapters, rel=0.01)
    found = run("CN", include_lines=True)
    lines = found.scenarios[0].lines
    assert lines is not None
    assert NO_CODE not in lines["hts"].to_list()
    assert found.refused.height == 0
    told = next(note.message for note in found.notes if note.reason == "EMBEDDED_EXPORTS")
    assert "13,820,297,356 USD under a code outside the Harmonized System" in told
    assert "143,226,749,368 USD to all its chapters" in told
    left = float(lines["customs_value"].sum()) + 13_820_297_356 + 603_151_845
    assert left == pytest.approx(143_545_716_168, abs=1)


@pytest.mark.parametrize(
    ("to", "scenario", "least", "most"),
    [
        ("CA", "base", 5.0, 100.0),
        # The surtax on steel derivative goods of all origins, and quotas, stay.
        ("CA", "canada-settles", 0.0, 1.0),
        ("CA", "canada-escalates", 10.0, 100.0),
        ("CN", "base", 30.0, 200.0),
    ],
)
def test_an_impact_without_a_table_runs_on_the_embedded_exports(
    to: str, scenario: str, least: float, most: float
) -> None:
    duty = run(to, scenario).scenarios[0].total["duty"]
    assert duty is not None
    assert least < duty / 1e9 < most


def test_embedded_exports_respond_from_the_law_of_their_year() -> None:
    chosen = Options(direction="export", to="CA", by=("hts2",))
    found = impact(None, [Point(library()["base"], "2026-11-24")], law=LAW, options=chosen)
    assert found.provenance["baseline"] == "2025-01-01"
    steel = found.scenarios[0].groups.filter(hts2="72")["quantity_hat"][0]
    assert 0.2 < steel < 0.95


def test_a_market_without_an_embedded_table_needs_one() -> None:
    with pytest.raises(InputError) as refused:
        impact(None, [Point(library()["base"], "")], law=LAW, options=Options(direction="export", to="ZZ"))
    assert refused.value.field == "to"


def test_goods_of_lists_are_worth_what_their_notices_reach() -> None:
    """Exports of 2024 on the subheadings of the notices, in billions, as the sources of the lists count them."""
    value = dict(reference_data.exports("CN").select("hts", "customs_value").iter_rows())
    reached = {
        name: sum(value.get(code, 0.0) for code in {code[:6] for code in LAW.lists[name].codes}) / 1e9
        for name in ("CN_ENERGY15", "CN_MACHINERY10", "CN_AG15", "CN_AG10")
    }
    assert {name: round(billions, 1) for name, billions in reached.items()} == {
        "CN_ENERGY15": 3.2, "CN_MACHINERY10": 10.8, "CN_AG15": 2.9, "CN_AG10": 19.1,
    }  # fmt: skip


@needs_source
def test_embedded_exports_and_schedules_are_what_the_sources_give() -> None:
    folder = SOURCE / "other_direction"
    census = countries.read(SOURCE / "country" / "country_reference.csv")
    built = exports.by_subheading(folder / "exports").sort("destination", "hts")
    assert built.equals(pl.read_parquet(DATA / exports.SUBHEADINGS))
    chapters = exports.by_chapter(folder / "exports", census).sort("destination", "hts2")
    assert chapters.equals(pl.read_parquet(DATA / exports.CHAPTERS))
    for name, rows in (
        ("CN", markets.china(folder)),
        ("CA", markets.canada(folder / "rates" / "canada_mfn_2026_hs10.parquet")),
        ("JP", markets.japan(folder / "jp")),
    ):
        kept = list(csv.reader(LAW.markets[name].lines_text.splitlines()))[1:]
        assert sorted(map(list, rows)) == sorted(kept)
