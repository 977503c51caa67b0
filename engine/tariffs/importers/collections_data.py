"""Build the monthly imports, claims and collected duty that `tariffs collections` reads, from Census and USITC figures.

Nothing after LAST_MONTH is read, whatever a file holds: later months are kept to score the frozen shares.

Run as `python -m tariffs.importers.collections_data DATA_DIR`, a folder laid out as in docs/data.md.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from tariffs.engine.response.industries import sector_of
from tariffs.engine.schedule.reference_data import reference_table
from tariffs.importers.output import read_csv_text, run, write_parquet

LAST_MONTH = "2026-02"
REST, SPECIAL = "", "98-99"
"""Origin of countries that the monthly figures do not name, and industry of goods of chapters 98 and 99."""
_ALL = "TOTAL"
_GROUPS = ("0003", "0020")
# The industry of the BEA's summary accounts by NAICS, where its code is another one.
_INDUSTRIES = {
    "111": "111CA", "112": "111CA", "113": "113FF", "114": "113FF", "115": "113FF", "311": "311FT",
    "312": "311FT", "313": "313TT", "314": "313TT", "315": "315AL", "316": "315AL", "910": "", "920": "",
    "930": "", "980": SPECIAL, "990": SPECIAL,
}  # fmt: skip
_SPLIT = "336"
_KEYS = ("month", "origin", "sector")
_CLAIMS_FROM = "2025-07"
_TARGET = Path(__file__).parents[1] / "engine" / "runs" / "collections" / "data"


def monthly_trade(source: Path) -> pl.DataFrame:
    """Read customs value and calculated duty by month, origin (`REST` for the others) and industry."""
    codes = {row["cty_code"]: row["iso2"] for row in read_csv_text(source / "country/country_reference.csv")}
    trade = pl.read_parquet(
        source / "economics/trade2025/us_imports_naics3_country_month_2024_2025m11.parquet"
    )
    trade = (
        trade.filter(~pl.col("cty_code").is_in(_GROUPS))
        .with_columns(
            month=pl.format("{}-{}", "year", pl.col("month").cast(pl.String).str.zfill(2)),
            origin=pl.col("cty_code").replace_strict({**codes, _ALL: _ALL}),
            sector=pl.col("naics3").replace(_INDUSTRIES),
        )
        .filter(pl.col("month") <= LAST_MONTH)
        .group_by(_KEYS)
        .agg(
            pl.col("customs_value_usd").sum().alias("value"),
            pl.col("calculated_duty_usd").sum().alias("duty"),
        )
    )
    named = trade.filter(pl.col("origin") != _ALL)
    of_named = named.group_by("month", "sector").agg(pl.col("value", "duty").sum().name.suffix("_named"))
    rest = (
        trade.filter(pl.col("origin") == _ALL)
        .join(of_named, on=["month", "sector"], how="left")
        .select(
            "month",
            pl.lit(REST).alias("origin"),
            "sector",
            *(pl.col(name) - pl.col(f"{name}_named").fill_null(0) for name in ("value", "duty")),
        )
    )
    return pl.concat([named.select(rest.columns), rest])


def later_months(trade: pl.DataFrame, source: Path) -> pl.DataFrame:
    """Estimate the months after the last by origin: known totals by the shares of origins in the three before.

    December has totals by industry, January and February 2026 one total; `basis` says which.
    """
    industries = (
        pl.read_parquet(source / "economics/trade2025/us_imports_naics6_month_2020_2025.parquet")
        .with_columns(
            month=pl.format("{}-{}", "year", pl.col("month").cast(pl.String).str.zfill(2)),
            sector=pl.col("naics").str.slice(0, 3).replace(_INDUSTRIES),
        )
        .group_by("month", "sector")
        .agg(pl.col("customs_value_usd").sum().alias("total"))
    )
    last = trade["month"].max()
    recent = trade.filter(pl.col("month") > "2025-08").group_by("origin", "sector").agg(pl.col("value").sum())
    share = recent.with_columns(share=pl.col("value") / pl.col("value").sum().over("sector"))
    december = (
        industries.filter((pl.col("month") > last) & (pl.col("month") <= LAST_MONTH))
        .join(share, on="sector")
        .select(*_KEYS, value=pl.col("total") * pl.col("share"), basis=pl.lit("industry total"))
    )
    totals = census_totals(source).filter(pl.col("month") > december["month"].max())
    mix = december.with_columns(share=pl.col("value") / pl.col("value").sum()).drop("value", "month", "basis")
    later = mix.join(totals, how="cross").select(
        *_KEYS, value=pl.col("total") * pl.col("share"), basis=pl.lit("total")
    )
    return pl.concat([december, later])


def census_totals(source: Path) -> pl.DataFrame:
    """Read imports for consumption and calculated duty of all goods by month."""
    rows = pl.read_csv(source / "outcomes/census_month_2023_01_2026_02.csv")
    return rows.filter(pl.col("month") <= LAST_MONTH).select(
        "month",
        total=pl.col("imports_usd").cast(pl.Float64),
        duty=pl.col("duty_usd_derived").cast(pl.Float64),
    )


def split_vehicles(trade: pl.DataFrame) -> pl.DataFrame:
    """Split transport equipment into its two industries by each origin's imports of 2024."""
    named = trade["origin"].unique().to_list()
    table = reference_table().with_columns(
        sector=pl.Series(sector_of(reference_table()["hts"].to_list()), dtype=pl.String),
        origin=pl.when(pl.col("origin").is_in(named)).then("origin").otherwise(pl.lit(REST)),
    )
    parts = (
        table.filter(pl.col("sector").str.starts_with(_SPLIT))
        .group_by("origin", "sector")
        .agg(pl.col("customs_value").sum())
        .with_columns(share=pl.col("customs_value") / pl.col("customs_value").sum().over("origin"))
    )
    whole = trade.filter(pl.col("sector") == _SPLIT).drop("sector").join(parts, on="origin")
    amounts = [name for name in ("value", "duty") if name in trade.columns]
    whole = whole.with_columns(pl.col(name) * pl.col("share") for name in amounts).select(trade.columns)
    return pl.concat([trade.filter(pl.col("sector") != _SPLIT), whole], how="vertical_relaxed")


def claims(source: Path) -> pl.DataFrame:
    """Read the share of imports that did not claim the USMCA, by month, over that of July to December 2025.

    Months before July 2025 are left out: the claims of goods free of ordinary duty are not in the record.
    """
    codes = {row["cty_code"]: row["iso2"] for row in read_csv_text(source / "country/country_reference.csv")}
    rows = pl.read_parquet(source / "trade/usmca_claims_canmex_monthly_2025_2026.parquet").with_columns(
        month=pl.format("{}-{}", "year", pl.col("month").cast(pl.String).str.zfill(2)),
        origin=pl.col("cty_code").replace_strict(codes),
    )
    rows = rows.filter((pl.col("month") >= _CLAIMS_FROM) & (pl.col("month") <= LAST_MONTH))
    names = rows["hts10"].unique()
    sectors = pl.DataFrame({"hts10": names, "sector": sector_of(names.to_list())}).with_columns(
        pl.col("sector").fill_null("")
    )
    left = (1 - pl.col("usmca_value").sum() / pl.col("total_value").sum()).alias("left")
    rows = rows.join(sectors, on="hts10")
    usual = rows.filter(pl.col("month") < "2026").group_by("origin", "sector").agg(left.alias("usual"))
    found = rows.group_by(_KEYS).agg(left).join(usual, on=["origin", "sector"])
    # A share of nothing unclaimed does not change by a factor.
    return found.filter(pl.col("usual") > 0.001).select(
        *_KEYS, ratio=(pl.col("left") / pl.col("usual")).round(4)
    )


def build(source: Path, target: Path) -> None:
    """Write imports, claims and collected duty."""
    trade = monthly_trade(source)
    imports = pl.concat(
        [
            trade.select(*_KEYS, "value", basis=pl.lit("country and industry")),
            later_months(trade, source),
        ],
        how="vertical_relaxed",
    )
    imports = split_vehicles(imports.with_columns(pl.col("value").cast(pl.Float64)))
    write_parquet(imports.with_columns(pl.col("value").round(0)), target / "imports.parquet", _KEYS)
    write_parquet(claims(source), target / "claims.parquet", _KEYS)
    by_origin = (
        trade.filter(pl.col("month") >= "2025").group_by("month", "origin").agg(pl.col("value", "duty").sum())
    )
    totals = census_totals(source).filter(pl.col("month") >= "2025")
    collected = pl.concat(
        [
            by_origin.select("month", "origin", "value", "duty"),
            totals.select("month", pl.lit(_ALL).alias("origin"), value="total", duty="duty"),
        ],
        how="vertical_relaxed",
    )
    sectors = (
        trade.filter(pl.col("month") >= "2025").group_by("month", "sector").agg(pl.col("value", "duty").sum())
    )
    write_parquet(collected, target / "collected.parquet", ("month", "origin"))
    write_parquet(sectors, target / "collected_industries.parquet", ("month", "sector"))


if __name__ == "__main__":
    run(build, __doc__, _TARGET)
