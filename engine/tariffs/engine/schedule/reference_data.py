"""Reference data of 2024: imports by code and origin, and default shares for table lines."""

from __future__ import annotations

from datetime import date
from functools import cache

import polars as pl

from tariffs.engine.schedule.equivalents import DATA

_BASELINE = date(2025, 1, 1)
USMCA_BASES = {
    "2025h2": ("share_2025h2", "share_2025", "share_2024"),
    "2025": ("share_2025", "share_2024"),
    "2024": ("share_2024",),
}
# Chapters of goods made of one metal; if no content is declared, the metal is the whole value.
WHOLE_METAL = {"72": "steel", "73": "steel", "74": "copper", "76": "aluminum"}
METALS = ("steel", "aluminum", "copper")


def baseline() -> date:
    """Day whose law the values of the reference table belong to."""
    return _BASELINE


@cache
def reference_table() -> pl.DataFrame:
    """US imports for consumption of 2024, chapters 1 to 97: `hts` (10 digits), `origin`, `customs_value` (USD)."""
    return pl.read_parquet(DATA / "trade_2024.parquet").with_columns(pl.col("customs_value").cast(pl.Float64))


def first_line() -> dict[str, str]:
    """First `hts` and `origin` of the reference table, which is not loaded for them."""
    return pl.read_parquet(DATA / "trade_2024.parquet", columns=["hts", "origin"], n_rows=1).row(
        0, named=True
    )


@cache
def exports(destination: str) -> pl.DataFrame:
    """US exports of 2024 to a destination: `hts` (6 digits), `origin`, `customs_value` (USD), `quantity` in `unit` kg.

    Codes outside the Harmonized System are among them; without an embedded table for the destination it is empty.
    """
    table = pl.read_parquet(DATA / "exports_2024.parquet").filter(destination=destination)
    unit = pl.when(pl.col("quantity").is_not_null()).then(pl.lit("kg"))
    return table.select(
        "hts", "origin", pl.col("customs_value", "quantity").cast(pl.Float64), unit.alias("unit")
    )


def exports_by_chapter() -> pl.DataFrame:
    """US exports of 2024 to all destinations: `destination`, `hts2`, `customs_value` (USD)."""
    return pl.read_parquet(DATA / "exports_2024_chapters.parquet").with_columns(
        pl.col("customs_value").cast(pl.Float64)
    )


@cache
def code_values() -> pl.DataFrame:
    """2024 value by 10-digit code: `hts`, `customs_value`; weights for splitting shorter codes."""
    return reference_table().group_by("hts").agg(pl.col("customs_value").sum()).sort("hts")


@cache
def preference_shares() -> pl.DataFrame:
    """Share of value under a preference or other relief in 2024: `hts2`, `origin`, `share`."""
    return pl.read_parquet(DATA / "preference_shares.parquet").with_columns(pl.col("share").cast(pl.Float64))


def ordinary_paid() -> pl.DataFrame:
    """Ordinary duty of 2024 where it is reported separately: `hts2`, `origin`, and in USD `value`, `due`, `paid`.

    `due` is the duty at the general rate, `paid` the duty collected.
    """
    return pl.read_parquet(DATA / "ordinary_paid_2024.parquet")


@cache
def usmca_shares(basis: str = "2025h2") -> pl.DataFrame:
    """Share of value claimed under the USMCA: `code`, `origin`, `share`.

    Args:
        basis: `2025h2` (second half of 2025, else the year, else 2024), `2025` (else 2024) or `2024`.
    """
    share = pl.coalesce(USMCA_BASES[basis]).fill_null(0.0).cast(pl.Float64).alias("share")
    return pl.read_parquet(DATA / "usmca_shares.parquet").select("code", "origin", share)


@cache
def exclusion_shares() -> pl.DataFrame:
    """Share of trade covered by product exclusions: `code`, `share`; codes not listed have none."""
    return pl.read_parquet(DATA / "exclusion_shares.parquet")


@cache
def metal_shares() -> pl.DataFrame:
    """Metal content as shares of value outside the metal chapters: `code`, `steel`, `aluminum`, `copper`."""
    return pl.read_parquet(DATA / "metal_shares.parquet").with_columns(pl.col(METALS).cast(pl.Float64))


def metal_shares_of(codes: pl.Series) -> pl.DataFrame:
    """Metal content of codes: 1 in the chapters of a metal, else the reference shares, else 0."""
    unique = pl.DataFrame([codes.cast(pl.String).unique(maintain_order=True).alias("code")])
    frame = unique.join(metal_shares(), on="code", how="left", maintain_order="left")
    chapter = pl.col("code").str.slice(0, 2)
    whole = chapter.is_in(list(WHOLE_METAL))
    return frame.with_columns(
        pl.when(whole)
        .then((chapter.replace_strict(WHOLE_METAL, default="") == metal).cast(pl.Float64))
        .otherwise(pl.col(metal).fill_null(0.0))
        .alias(metal)
        for metal in METALS
    )


@cache
def successors() -> pl.DataFrame:
    """Codes of 2024 that the current schedule lacks, and their successors: `hts`, `code`, `weight` (sums to 1)."""
    return pl.read_parquet(DATA / "successors.parquet")
