"""Convert schedule rates to ad valorem equivalents for tables without quantities.

Free and ad valorem rates are exact. Any other rate takes the reference equivalent of 2024 of its code, else the mean of
its 8-digit line, else of its 6-digit heading, else only its ad valorem part; the basis is noted.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from functools import cache
from pathlib import Path

import polars as pl

from tariffs.engine.schedule.rates import AD_VALOREM, FREE, Rate, parse_rate

DATA = Path(__file__).parent / "data"
AVE_2024 = "AVE_2024"
AVE_HTS6_MEAN = "AVE_HTS6_MEAN"
AVE_UNKNOWN = "AVE_UNKNOWN"
RATE_OF_2024 = "RATE_OF_2024"
_EXACT = (FREE, AD_VALOREM)
# Vintage of codes that were traded in 2024 and are in none of the embedded schedules.
CALCULATED_VINTAGE = "2024-calculated"
_LEVELS = (("code", AVE_2024), ("hts8", AVE_2024), ("hts6", AVE_HTS6_MEAN))


def ordinary_rates(lines: pl.DataFrame, codes: pl.Series) -> pl.DataFrame:
    """Look up column 1 general and column 2 rates of distinct codes of 8 or 10 digits, in the order given.

    Args:
        lines: `Schedule.line_frame` of the day.

    Returns:
        `code`; `general_text`, `general_kind`, `general_ad_valorem`; `ave` (column 1 as a fraction of value) with
        `ave_note` (empty if exact); `other_text`, `other_kind`, `col2_ave`, `col2_note`; `unit` and `unit_value` (US
        dollars per unit, null if unknown); `vintage` (null if no schedule has the code's line: then rates are null).
    """
    known = _keyed(codes).join(lines, on="hts8", how="left", maintain_order="left")
    known = _with_reference(_with_rates(_with_rates(known, "general"), "other"))
    by_reference = pl.coalesce("reference", "general_ad_valorem")
    exact = pl.col("general_kind").is_in(_EXACT)
    calculated = pl.col("vintage") == CALCULATED_VINTAGE
    known = known.with_columns(
        pl.when(exact).then("general_ad_valorem").otherwise(by_reference).alias("ave"),
        pl.when(calculated)
        .then(pl.lit(RATE_OF_2024))
        .when(exact)
        .then(pl.lit(""))
        .otherwise(pl.col("basis").fill_null(AVE_UNKNOWN))
        .alias("ave_note"),
    )
    return _with_other(known).drop("hts8", "hts6", "reference", "basis", "general_specific", "other_specific")


def special_rates(
    lines: pl.DataFrame, special: pl.DataFrame, codes: pl.Series, programs: Iterable[str]
) -> pl.DataFrame:
    """Look up special rates: `code, program, special_ave`, a row for each of these programs that a code is open to.

    Args:
        lines: `Schedule.line_frame` of the day.
        special: special rates: `vintage, hts8, programs` (list of symbols), `rate` (text).
        codes: codes of 8 or 10 digits.
        programs: symbols of special programs.
    """
    rows = special.join(lines.select("hts8", "vintage"), on=["hts8", "vintage"])
    rows = rows.select("hts8", "programs", pl.col("rate").alias("special"))
    frame = _with_reference(_with_rates(_keyed(codes).join(rows, on="hts8"), "special"))
    computed = pl.col("special_ad_valorem") + _per_value("special")
    rate = (
        pl.when(pl.col("special_kind").is_in(_EXACT))
        .then("special_ad_valorem")
        .when(pl.col("special_kind").is_in(("specific", "compound")))
        .then(pl.coalesce(computed, "reference", "special_ad_valorem"))
    )
    return (
        frame.select("code", pl.col("programs").alias("program"), rate.alias("special_ave"))
        .drop_nulls("special_ave")
        .explode("program")
        .filter(pl.col("program").is_in(sorted(set(programs))))
        .group_by("code", "program", maintain_order=True)
        .agg(pl.col("special_ave").min())
    )


@cache
def equivalents() -> pl.DataFrame:
    """Reference equivalents of 2024: `code` (10, 8 or 6 digits), `ave, unit_value, unit, basis`."""
    return pl.read_parquet(DATA / "ave_2024.parquet")


def _keyed(codes: pl.Series) -> pl.DataFrame:
    unique = codes.cast(pl.String).unique(maintain_order=True).alias("code")
    return pl.DataFrame([unique]).with_columns(
        pl.col("code").str.slice(0, 8).alias("hts8"), pl.col("code").str.slice(0, 6).alias("hts6")
    )


def _with_rates(frame: pl.DataFrame, column: str) -> pl.DataFrame:
    """Parse a column of rate texts into kind, ad valorem part and specific terms."""
    texts = frame[column].unique().drop_nulls()
    parsed = [(text, *_parts(parse_rate(text))) for text in texts]
    names = [f"{column}_{part}" for part in ("text", "kind", "ad_valorem", "specific")]
    terms = pl.List(pl.Struct({"usd": pl.Float64, "per": pl.String}))
    types = (pl.String, pl.String, pl.Float64, terms)
    table = pl.DataFrame(parsed, schema=dict(zip(names, types, strict=True)), orient="row")
    return frame.rename({column: names[0]}).join(table, on=names[0], how="left", maintain_order="left")


def _parts(rate: Rate) -> tuple[str, float, list[dict[str, float | str]]]:
    return (
        rate.kind,
        float(rate.ad_valorem),
        [{"usd": float(Decimal(usd)), "per": unit} for usd, unit in rate.specific],
    )


def _with_reference(frame: pl.DataFrame) -> pl.DataFrame:
    """Add the reference equivalent of the most detailed level, its note, and the unit value with its unit."""
    for level, _ in _LEVELS:
        table = equivalents().select(
            pl.col("code").alias(level), pl.col("ave", "unit_value", "unit").name.suffix(f"_{level}")
        )
        frame = frame.join(table, on=level, how="left", maintain_order="left")
    basis = pl.coalesce(
        pl.when(pl.col(f"ave_{level}").is_not_null()).then(pl.lit(note)) for level, note in _LEVELS
    )
    has_value = [
        pl.when(pl.col(f"unit_value_{level}").is_not_null()).then(f"unit_{level}") for level, _ in _LEVELS
    ]
    frame = frame.with_columns(
        pl.coalesce(f"ave_{level}" for level, _ in _LEVELS).alias("reference"),
        basis.alias("basis"),
        pl.coalesce(f"unit_value_{level}" for level, _ in _LEVELS).alias("unit_value"),
        pl.coalesce(has_value).alias("unit"),
    )
    return frame.drop(f"{part}_{level}" for level, _ in _LEVELS for part in ("ave", "unit_value", "unit"))


def _per_value(column: str) -> pl.Expr:
    """Specific terms of a rate over the unit value; null where a term is in another unit or there is none."""
    terms = pl.col(f"{column}_specific")
    usd = terms.list.eval(pl.element().struct.field("usd")).list.sum()
    unit = terms.list.eval(pl.element().struct.field("per")).list.unique()
    one = (unit.list.len() == 1) & (unit.list.first() == pl.col("unit"))
    return pl.when(one).then(usd / pl.col("unit_value"))


def _with_other(frame: pl.DataFrame) -> pl.DataFrame:
    """Column 2: exact, else its ad valorem part plus its specific part over the unit value of column 1."""
    exact = pl.col("other_kind").is_in(_EXACT)
    computed = pl.col("other_ad_valorem") + _per_value("other")
    # Without a unit value column 2 is at least column 1: it is lower on no line of the schedule.
    floor = pl.max_horizontal("other_ad_valorem", "ave")
    return frame.with_columns(
        pl.when(exact).then("other_ad_valorem").otherwise(pl.coalesce(computed, floor)).alias("col2_ave"),
        pl.when(exact)
        .then(pl.lit(""))
        .otherwise(pl.when(computed.is_not_null()).then(pl.lit(AVE_2024)).otherwise(pl.lit(AVE_UNKNOWN)))
        .alias("col2_note"),
    )
