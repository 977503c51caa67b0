"""The embedded reference table and shares."""

from __future__ import annotations

import polars as pl
import pytest

from tariffs.engine.schedule import reference_data
from tariffs.engine.schedule.countries import is_country


def test_totals_of_2024() -> None:
    table = reference_data.reference_table()
    by_origin = dict(table.group_by("origin").agg(pl.col("customs_value").sum()).iter_rows())
    assert (len(table), len(by_origin)) == (334_728, 232)
    assert table["customs_value"].sum() == 3_123_773_412_637
    billions = {o: round(by_origin[o] / 1e9, 2) for o in ("CN", "MX", "CA", "JP", "VN")}
    assert billions == {"CN": 417.99, "MX": 491.61, "CA": 392.47, "JP": 144.86, "VN": 139.50}


# Published values in dollars.
@pytest.mark.parametrize(
    ("hts", "origin", "value"),
    [
        ("0101210010", "CA", 809_426),
        ("2709001000", "CA", 70_232_922_089),
        ("8517130000", "CN", 40_679_904_773),
        ("8703230140", "JP", 12_373_053_392),
        ("0901110025", "BR", 1_681_100_314),
        ("7318158066", "CA", 97_802_928),
    ],
)
def test_spot_rows(hts: str, origin: str, value: int) -> None:
    table = reference_data.reference_table()
    found = table.filter((pl.col("hts") == hts) & (pl.col("origin") == origin))
    assert found["customs_value"].to_list() == [value]


def test_rows_are_unique_and_codes_well_formed() -> None:
    table = reference_data.reference_table()
    assert table.select("hts", "origin").is_duplicated().sum() == 0
    assert table["hts"].str.contains(r"^\d{10}$").all()
    assert all(is_country(origin) for origin in table["origin"].unique())


@pytest.mark.parametrize("basis", ["2025h2", "2025", "2024"])
def test_usmca_shares_are_shares(basis: str) -> None:
    shares = reference_data.usmca_shares(basis)
    assert set(shares["origin"].unique()) == {"CA", "MX"}
    assert shares["share"].is_between(0.0, 1.0).all()
    assert shares["share"].null_count() == 0


def test_settled_claiming_is_higher_than_that_of_2024() -> None:
    def weighted(basis: str, origin: str) -> float:
        frame = reference_data.usmca_shares(basis).join(
            reference_data.reference_table(), left_on=["code", "origin"], right_on=["hts", "origin"]
        )
        frame = frame.filter(pl.col("origin") == origin)
        return float((frame["share"] * frame["customs_value"]).sum()) / float(frame["customs_value"].sum())

    assert weighted("2024", "CA") == pytest.approx(0.40, abs=0.01)
    assert weighted("2025h2", "CA") == pytest.approx(0.92, abs=0.01)
    assert weighted("2025h2", "MX") == pytest.approx(0.88, abs=0.01)


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
