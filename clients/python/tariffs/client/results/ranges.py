"""Ranges of the results of an impact: over draws of the elasticities, and over models of trade."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True, slots=True)
class Ranges:
    """Ranges over draws of the elasticities and of the period of USMCA claim shares, for every scenario and day.

    Attributes:
        groups: rows of group keys and `column`, the result column they are about, with `central` (the run without
            draws), `mean`, `p5`, `p25`, `p50`, `p75`, `p95`, the Monte-Carlo standard errors `p5_error`, `p50_error`,
            `p95_error`, and of the difference from the first scenario of the day `vs_p5`, `vs_p50`, `vs_p95` and
            `vs_positive`, the share of draws in which it is above 0. Quantiles of groups do not add up.
        total: the same for the whole table.
        tornado: per `column` of the total and `parameter`, largest `swing` first: the total with that parameter at
            its p10 (`low`) and p90 (`high`) and all others in the middle, and the `rank_correlation` over the draws.
    """

    groups: pl.DataFrame
    total: pl.DataFrame
    tornado: pl.DataFrame


def model_ends(total: pl.DataFrame, models: pl.DataFrame) -> list[dict[str, object]]:
    """Lowest and highest welfare over models for each row of totals, `low` and `high`; None for fewer than two."""
    ends = models.group_by("scenario", "on", maintain_order=True).agg(
        pl.when(pl.len() > 1).then(value).alias(name)
        for name, value in (("low", pl.col("welfare").min()), ("high", pl.col("welfare").max()))
    )
    return total.select("scenario", "on").join(ends, on=["scenario", "on"], how="left").to_dicts()
