"""Build the table of soybeans shipped to China by month: exports of the United States, Brazil and Argentina.

Figures are those that the three governments report of their exports of 1201.90. The United States report value by month
and weight to March 2024; the later weights of the source are one price for all months. They are replaced by the weight
of the year, divided by value, so that months add up to the year. Months without a row while the country reported
exports to others are zero; the months of 2025 after the last one reported are one row, the year less the others.

Run as `python -m tariffs.importers.soybeans EXPORTS_FOLDER`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from tariffs.importers.output import run, write_csv

COLUMNS = ("first", "last", "origin", "value_usd", "tons")
YEARS = (2024, 2025)
_CODE, _BUYER, _WORLD, _FLOW = "120190", "CHN", "W00", "X"
_ORIGINS = {"USA": "US", "BRA": "BR", "ARG": "AR"}
_OF_YEAR = "USA"
_KILOGRAMS = 1000.0


def rows_of(months: pl.DataFrame, years: pl.DataFrame) -> Iterator[tuple[str, ...]]:
    """Read rows of a month, or of the months after the last reported one.

    Args:
        months: reporter_iso3, flow, partner_iso3, hs6, period, value_usd, net_weight_kg, net_weight_estimated.
        years: year, hs6, fas_value_usd, net_weight_kg, of US exports to China.
    """
    sold = months.filter(pl.col("flow") == _FLOW, pl.col("hs6").cast(pl.String).str.starts_with(_CODE))
    for reporter, origin in _ORIGINS.items():
        own = sold.filter(reporter_iso3=reporter)
        for year in YEARS:
            yield from _year(own, year, origin, _total(years, year) if reporter == _OF_YEAR else None)


def _total(years: pl.DataFrame, year: int) -> tuple[float, float]:
    """Value in dollars and weight in kilograms of a year."""
    row = years.filter(year=year, hs6=_CODE)
    return float(row["fas_value_usd"].item()), float(row["net_weight_kg"].item())


def _year(
    own: pl.DataFrame, year: int, origin: str, total: tuple[float, float] | None
) -> Iterator[tuple[str, ...]]:
    """Rows of one origin in a year; `total` replaces weights that are estimates."""
    own = own.filter(pl.col("period") // 100 == year)
    reported = sorted(own.filter(partner_iso3=_WORLD)["period"].unique())
    found = {row["period"]: row for row in own.filter(partner_iso3=_BUYER).iter_rows(named=True)}
    known = [row for row in found.values() if not (total and row["net_weight_estimated"])]
    value, weight = total or (0.0, 0.0)
    left_value = value - sum(row["value_usd"] for row in known)
    price = (weight - sum(row["net_weight_kg"] for row in known)) / left_value if total else 0.0
    for period in reported:
        row = found.get(period, {"value_usd": 0, "net_weight_kg": 0.0, "net_weight_estimated": False})
        estimated = total and row["net_weight_estimated"]
        kilograms = row["value_usd"] * price if estimated else row["net_weight_kg"]
        yield _row(period, period, origin, row["value_usd"], kilograms)
    last = reported[-1] if reported else 0
    if total and last % 100 < 12:
        rest = value - sum(row["value_usd"] for row in found.values())
        yield _row(last + 1, year * 100 + 12, origin, rest, rest * price)


def _row(first: int, last: int, origin: str, value: float, kilograms: float) -> tuple[str, ...]:
    days = (f"{one // 100}-{one % 100:02d}" for one in (first, last))
    return (*days, origin, f"{value:.0f}", f"{kilograms / _KILOGRAMS:.0f}")


def build(folder: Path, target: Path) -> int:
    """Write the table; the number of rows."""
    months = pl.read_parquet(folder / "soybeans_monthly_2015_2025.parquet")
    years = pl.read_parquet(folder / "us_exports_china_hs6_2015_2025.parquet")
    rows = list(rows_of(months, years))
    write_csv(target, COLUMNS, rows)
    return len(rows)


if __name__ == "__main__":
    run(build, __doc__, Path(__file__).parents[1] / "engine" / "validation" / "soybeans.csv")
