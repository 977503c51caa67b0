"""Compute ad-valorem equivalents of 2024 for rates that value alone does not give.

The equivalent of a code is the duty paid over the value on which it was paid, pooled over origins that pay the
general rate. Means by 8 and by 6 digits, weighted by that value, stand in for codes on which nobody paid.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from tariffs.engine.schedule.rates import parse_rate
from tariffs.importers.output import write_parquet

AVE = "ave_2024.parquet"
OWN, LINE, HEADING = "code", "line", "hts6"
_LEVELS = ((8, LINE), (6, HEADING))


def read(path: Path, lines: pl.DataFrame) -> pl.DataFrame:
    """Compute equivalents by code prefix of 10, 8 and 6 digits.

    Args:
        path: rows by 10-digit code with duty paid, value and the unit value the specific rate implies.
        lines: schedule lines (`hts8`, `general`), which name the unit of the unit value.

    Returns:
        Columns `code, ave` (fraction), `unit_value` (US dollars per `unit`), `unit`, `basis`.
    """
    units = {hts8: parse_rate(text).specific for hts8, text in lines.select("hts8", "general").iter_rows()}
    rows = pl.read_parquet(path).select(
        pl.col("hts10").alias("code"),
        (pl.col("ave_pct") / 100).alias("ave"),
        pl.col("implied_unit_value_usd").alias("unit_value"),
        pl.col("hts10")
        .str.slice(0, 8)
        .replace_strict({k: v[0][1] for k, v in units.items() if v}, default="")
        .alias("unit"),
        pl.col("value_dutied_usd").cast(pl.Float64).alias("value"),
    )
    own = rows.filter(pl.col("ave").is_not_null())
    means = [_means(own, digits, basis) for digits, basis in _LEVELS]
    return pl.concat([own.drop("value").with_columns(pl.lit(OWN).alias("basis")), *means]).with_columns(
        pl.when(pl.col("unit") != "").then(pl.col("unit_value")).alias("unit_value")
    )


def calculated_rate(trade: pl.DataFrame, code: str) -> float:
    """Compute duty over value of a code in 2024, where duty was published."""
    known = trade.filter((pl.col("hts") == code) & pl.col("calculated_duty").is_not_null())
    return float(known["calculated_duty"].sum()) / float(known["customs_value"].sum())


def write(frame: pl.DataFrame, directory: Path) -> None:
    """Write the embedded equivalents."""
    write_parquet(frame, directory / AVE, ["code"])


def _means(own: pl.DataFrame, digits: int, basis: str) -> pl.DataFrame:
    """Average by value; the unit value only where all codes share one unit."""
    paid = own.filter(pl.col("value") > 0)
    ave = (pl.col("ave") * pl.col("value")).sum() / pl.col("value").sum()
    valued = pl.col("unit_value").is_not_null()
    quantity = (pl.col("value") / pl.col("unit_value")).filter(valued).sum()
    unit_value = pl.when((pl.col("unit").n_unique() == 1) & (quantity > 0)).then(
        pl.col("value").filter(valued).sum() / quantity
    )
    return (
        paid.group_by(pl.col("code").str.slice(0, digits))
        .agg(ave.alias("ave"), unit_value.alias("unit_value"), pl.col("unit").first())
        .select("code", "ave", "unit_value", "unit", pl.lit(basis).alias("basis"))
    )
