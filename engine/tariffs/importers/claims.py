"""Build the observed USMCA claims: how they rose from 2024 to the second half of 2025 with the duty that they save.

Run as `python -m tariffs.importers.claims DATA_DIRECTORY`. The gain is the duty that a claim saves on OBSERVED_ON less
what it saved on 2025-01-01, under the embedded law; shares are those of `tariffs.importers.shares`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from tariffs.engine.base.array_utils import F64, I64
from tariffs.engine.law import load_law
from tariffs.engine.runs.impact import Options, Point, impact
from tariffs.engine.scenario import library
from tariffs.engine.schedule import reference_data
from tariffs.engine.schedule.lines import load_schedule
from tariffs.engine.schedule.rates import parse_rate
from tariffs.importers.countries import read
from tariffs.importers.output import run, write_csv, write_parquet
from tariffs.importers.shares import usmca

OBSERVED_ON = "2025-10-15"
"""A day in the middle of the half-year, with the duties that were in force in most of it."""
TABLE, ESTIMATES = "usmca_claims.parquet", "claim_odds.csv"
_BEFORE = date(2025, 1, 1)
_VEHICLES = "87"
_LEAST_GAIN = 1e-6
_STEPS, _FARTHEST = 60, 25.0
_KEYS = ("code", "origin")


def observed(shares: pl.DataFrame, gains: pl.DataFrame) -> pl.DataFrame:
    """Compute the odds of claiming what was not claimed in 2024, and the gain, by code, chapter and origin.

    Chapters and origins (codes of 2 and 0 digits) are means weighted by the value that was not claimed. A code without
    claims of its own, or whose gain did not rise, is left out.

    Args:
        shares: `code`, `origin`, `share_2024` and `share_2025h2`, fractions.
        gains: `code`, `origin`, `customs_value` and `gain`.
    """
    rest = 1.0 - pl.col("share_2024")
    frame = (
        shares.drop_nulls(["share_2024", "share_2025h2"])
        .join(gains, on=list(_KEYS))
        .filter(pl.col("gain") > _LEAST_GAIN)
        .with_columns(
            joined=(pl.col("share_2025h2") - pl.col("share_2024")).clip(0.0, 1.0) * pl.col("customs_value"),
            rest=rest * pl.col("customs_value"),
        )
        .filter(pl.col("rest") > 0.0)
    )
    levels = [
        frame.with_columns(pl.col("code").str.slice(0, digits))
        .group_by(_KEYS)
        .agg(
            odds=pl.col("joined").sum() / (pl.col("rest") - pl.col("joined")).sum().clip(0.0),
            gain=(pl.col("rest") * pl.col("gain")).sum() / pl.col("rest").sum(),
        )
        for digits in (10, 2, 0)
    ]
    return pl.concat(levels).sort(_KEYS).with_columns(pl.col("odds", "gain").round_sig_figs(9))


def estimates(shares: pl.DataFrame) -> Iterator[tuple[str, float, float]]:
    """Estimate the elasticity of the odds from the claims of 2024 by ad valorem rate, by several weights and groups.

    Args:
        shares: `code`, `origin` and `share_2024`.
    """
    rates = load_schedule().rates(shares["code"].unique(), _BEFORE).select("code", "general_text")
    kept = [(code, parse_rate(text)) for code, text in rates.iter_rows() if text]
    free = {code: float(rate.ad_valorem) for code, rate in kept if rate.computable and not rate.specific}
    trade = reference_data.reference_table().rename({"hts": "code"})
    frame = (
        shares.drop_nulls("share_2024")
        .join(trade, on=list(_KEYS))
        .with_columns(rate=pl.col("code").replace_strict(free, default=0.0, return_dtype=pl.Float64))
        .filter(pl.col("rate") > 0.0, pl.col("customs_value") > 0.0)
        .with_columns(chapter=pl.col("code").str.slice(0, 2))
    )
    vehicles = frame.filter(pl.col("chapter") != _VEHICLES)
    value, root, one = pl.col("customs_value"), pl.col("customs_value").sqrt(), pl.lit(1.0)
    for name, rows, weight, groups in (
        ("root of value, by origin", frame, root, ["origin"]),
        ("value, by origin", frame, value, ["origin"]),
        ("value, by origin and chapter", frame, value, ["origin", "chapter"]),
        ("value, by origin, without vehicles", vehicles, value, ["origin"]),
        ("value, by origin and chapter, without vehicles", vehicles, value, ["origin", "chapter"]),
        ("lines, by origin and chapter", frame, one, ["origin", "chapter"]),
    ):
        numbered = rows.with_columns(weight=weight / 1e6, group=pl.struct(groups).rank("dense") - 1)
        share, rate, scale = (numbered[column].to_numpy() for column in ("share_2024", "rate", "weight"))
        yield name, *odds_elasticity(share, rate, scale, numbered["group"].to_numpy().astype(np.int64))


def gains(origins: Sequence[str]) -> pl.DataFrame:
    """Compute the rise of the duty that a claim saves, by code and origin, from the embedded law."""
    table = reference_data.reference_table().filter(
        pl.col("origin").is_in(origins), pl.col("customs_value") > 0
    )
    days = (reference_data.baseline().isoformat(), OBSERVED_ON)
    points = [Point(library()["base"], day) for day in days]
    without, claimed = (
        [
            block.lines["duty"]
            for block in impact(
                table.with_columns(usmca_share=pl.lit(share)),
                points,
                law=load_law(),
                options=Options(response="none", include_lines=True),
            ).scenarios
            if block.lines is not None
        ]
        for share in (0.0, 1.0)
    )
    before, after = (saved_from - saved_to for saved_from, saved_to in zip(without, claimed, strict=True))
    return table.select(pl.col("hts").alias("code"), "origin", "customs_value").with_columns(
        gain=(after - before) / pl.col("customs_value")
    )


def odds_elasticity(share: F64, rate: F64, weight: F64, group: I64) -> tuple[float, float]:
    """Estimate the elasticity of the odds of claiming to the duty saved, and its robust standard error.

    Weighted binomial logit of the share on the log of the rate, with an effect of each group.

    Args:
        share: share claimed.
        rate: duty saved, a positive fraction.
        weight: weight of each row.
        group: group of each row, from 0.
    """
    columns = np.column_stack([np.log(rate), np.eye(int(group.max()) + 1)[group]])
    # Groups in which all is claimed have no finite effect; the ridge keeps theirs away from infinity.
    ridge = 1e-6 * weight.mean() * np.eye(columns.shape[1])
    found = np.zeros(columns.shape[1])
    for _ in range(_STEPS):
        fitted = 1.0 / (1.0 + np.exp(-np.clip(columns @ found, -_FARTHEST, _FARTHEST)))
        spread = weight * fitted * (1.0 - fitted)
        inverse = np.linalg.inv(columns.T @ (columns * spread[:, None]) + ridge)
        found = found + inverse @ (columns.T @ (weight * (share - fitted)) - ridge @ found)
    scores = columns * (weight * (share - fitted))[:, None]
    return float(found[0]), float((inverse @ (scores.T @ scores) @ inverse)[0, 0] ** 0.5)


def build(data: Path, target: Path) -> None:
    """Write the table and the estimates from the directory of the public data."""
    census = read(data / "country" / "country_reference.csv")
    shares = usmca(data / "trade" / "usmca_shares_annual.parquet", census).with_columns(
        pl.col("share_2024", "share_2025h2").cast(pl.Float64)
    )
    table = observed(shares, gains(shares["origin"].unique().to_list()))
    write_parquet(table, target / TABLE, list(_KEYS))
    rows = [(name, f"{elasticity:.2f}", f"{error:.2f}") for name, elasticity, error in estimates(shares)]
    write_csv(target / ESTIMATES, ("weights and groups", "elasticity", "standard error"), rows)


if __name__ == "__main__":
    run(build, __doc__, Path(__file__).parents[1] / "engine" / "response" / "data")
