"""Import default shares of table lines: preferences claimed, metal content, exclusions, replaced codes."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from tariffs.engine.schedule.rates import parse_rate
from tariffs.importers.codes import Universe
from tariffs.importers.countries import census_to_iso
from tariffs.importers.output import write_parquet

USMCA = "usmca_shares.parquet"
PREFERENCE = "preference_shares.parquet"
PAID = "ordinary_paid_2024.parquet"
METAL = "metal_shares.parquet"
EXCLUSION = "exclusion_shares.parquet"
SUCCESSORS = "successors.parquet"
# Chapters whose goods are the metal itself: content 1 there unless declared, so no input-output share is kept.
METAL_CHAPTERS = ("72", "73", "74", "76")
METALS = ("steel", "aluminum", "copper")
_ROUNDING = 1.005
"""Duties are reported in whole dollars, and some rates moved a little between 2024 and the schedule kept."""


def usmca(path: Path, countries: list[dict[str, str]]) -> pl.DataFrame:
    """Read the share of value entered under the USMCA by code and origin: 2024, 2025, second half of 2025."""
    return _with_origin(pl.read_parquet(path), countries).select(
        pl.col("hts10").alias("code"),
        "origin",
        pl.col("usmca_share_2024").alias("share_2024"),
        pl.col("usmca_share_2025").alias("share_2025"),
        pl.col("usmca_share_2025h2").alias("share_2025h2"),
    )


def preference(path: Path, trade: pl.DataFrame, countries: list[dict[str, str]]) -> pl.DataFrame:
    """Compute the share of value under a preference or other relief, as paid in 2024, by chapter and origin.

    Where two Census codes make one origin the shares are weighted by their 2024 value.
    """
    weights = trade.group_by(
        pl.col("hts").str.slice(0, 2).alias("hts2"), pl.col("census").alias("cty_code")
    ).agg(pl.col("customs_value").sum().alias("value"))
    shares = pl.read_csv(path, infer_schema=False, columns=["hs2", "cty_code", "exemption_share"])
    frame = shares.rename({"hs2": "hts2"}).with_columns(pl.col("exemption_share").cast(pl.Float64))
    known = pl.col("value").fill_null(1.0).clip(1.0)
    weighted = frame.join(weights, on=["hts2", "cty_code"], how="left").with_columns(known)
    share = (pl.col("exemption_share") * pl.col("value")).sum() / pl.col("value").sum()
    return (
        _with_origin(weighted, countries)
        .group_by("hts2", "origin")
        .agg(share.clip(0.0, 1.0).cast(pl.Float32).alias("share"))
        .sort("hts2", "origin")
    )


def paid(path: Path, lines: pl.DataFrame, countries: list[dict[str, str]]) -> pl.DataFrame:
    """Compute duty due at the general rate, and duty paid in 2024, by chapter and origin, in dollars.

    Of lines with an ad valorem general rate whose duty the Census Bureau reports line by line. Lines that paid more
    than the general rate bore a duty of chapter 99 as well, so that their ordinary duty is not seen; they are left out.

    Args:
        path: imports of 2024 with the duty calculated on them and its basis.
        lines: schedule lines (`hts8`, `general`, the rate as text).
        countries: Census countries.
    """
    general = {hts8: parse_rate(text) for hts8, text in lines.select("hts8", "general").iter_rows()}
    rates = {
        hts8: float(rate.ad_valorem)
        for hts8, rate in general.items()
        if rate.computable and not rate.specific
    }
    frame = pl.read_parquet(path).filter(pl.col("duty_basis").cast(pl.String) == "census")
    value, duty = (pl.col(name).cast(pl.Float64) for name in ("customs_value_usd", "calculated_duty_usd"))
    rated = _with_origin(frame, countries).select(
        pl.col("hts10").str.slice(0, 8).alias("hts8"), "origin", value.alias("value"), duty.alias("paid")
    )
    rate = pl.col("hts8").replace_strict(rates, default=0.0, return_dtype=pl.Float64)
    due = rated.with_columns(due=rate * pl.col("value"))
    seen = due.filter((pl.col("due") > 0) & (pl.col("paid") <= pl.col("due") * _ROUNDING))
    by_chapter = seen.group_by(pl.col("hts8").str.slice(0, 2).alias("hts2"), "origin")
    return by_chapter.agg(pl.col("value", "due", "paid").sum().round(0).cast(pl.Int64)).sort("hts2", "origin")


def metal(path: Path) -> pl.DataFrame:
    """Compute steel, aluminum and copper as shares of value, by code outside the metal chapters.

    Each share is an industry's input-cost ratio, so it is cut to [0, 1] and the sum to 1 in that order.
    """
    frame = pl.read_parquet(path).filter(~pl.col("hs10").str.slice(0, 2).is_in(METAL_CHAPTERS))
    clipped = frame.select(
        pl.col("hs10").alias("code"),
        *(
            pl.col(f"{name}_share").cast(pl.Float64).fill_null(0.0).clip(0.0, 1.0).alias(name)
            for name in METALS
        ),
    )
    aluminum = pl.min_horizontal("aluminum", 1 - pl.col("steel"))
    clipped = clipped.with_columns(aluminum)
    copper = pl.min_horizontal("copper", 1 - pl.col("steel") - pl.col("aluminum"))
    return clipped.with_columns(copper).with_columns(pl.col(METALS).round(6))


def exclusion(path: Path) -> pl.DataFrame:
    """Read the share of China's trade of a code covered by exclusions from the section 301 duties."""
    frame = pl.read_csv(path, infer_schema=False).select(
        pl.col("hts10").alias("code"),
        pl.col("coverage_share").cast(pl.Float64).clip(0.0, 1.0).round(6).alias("share"),
    )
    return frame.filter(pl.col("share") > 0)


def successors(universe: Universe, traded: frozenset[str]) -> pl.DataFrame:
    """Find the codes that replaced each traded code missing from the current schedule, with equal weights.

    Codes without any keep their number and are absent.
    """
    replaced = {old: new for old, new in universe.successors.items() if old in traded}
    rows = [(old, new, 1.0 / len(codes)) for old, codes in sorted(replaced.items()) for new in sorted(codes)]
    return pl.DataFrame(
        rows, schema={"hts": pl.String, "code": pl.String, "weight": pl.Float64}, orient="row"
    )


def write_successors(frame: pl.DataFrame, directory: Path) -> None:
    """Write the codes that replaced others."""
    write_parquet(frame, directory / SUCCESSORS, ["hts", "code"])


def write(
    usmca_shares: pl.DataFrame,
    preferences: pl.DataFrame,
    ordinary_paid: pl.DataFrame,
    metals: pl.DataFrame,
    exclusions: pl.DataFrame,
    directory: Path,
) -> None:
    """Write the five tables."""
    write_parquet(exclusions, directory / EXCLUSION, ["code"])
    write_parquet(usmca_shares, directory / USMCA, ["code", "origin"])
    write_parquet(preferences, directory / PREFERENCE, ["hts2", "origin"])
    write_parquet(ordinary_paid, directory / PAID, ["hts2", "origin"])
    write_parquet(metals, directory / METAL, ["code"])


def _with_origin(frame: pl.DataFrame, countries: list[dict[str, str]]) -> pl.DataFrame:
    return frame.with_columns(pl.col("cty_code").replace_strict(census_to_iso(countries)).alias("origin"))
