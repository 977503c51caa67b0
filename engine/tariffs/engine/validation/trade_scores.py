"""Score forecasts of imports by partner and industry against what was imported: error, slope, rank and coverage.

All scores are weighted by the imports before: an error is in points of growth, a slope is that of the log change
realised on the log change forecast, with fixed effects of industries and errors robust to heteroskedasticity (HC0).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from tariffs.engine.base.array_utils import F64

PERCENT = 100.0


@dataclass(frozen=True, slots=True)
class Slope:
    """Slope of a regression and its standard error; NaN where too few cells or no change decide it."""

    value: float
    error: float


@dataclass(frozen=True, slots=True)
class TradeScore:
    """Score of one forecast over a window of months and a cut of goods.

    Attributes:
        error: mean over partners of the absolute difference between growth forecast and realised, in points.
        total, realised_total: growth of imports of all partners, as fractions.
        slope: realised on forecast; `controlled` beside growth in the months before the duties; `placebo` of that
            growth on the forecast: below 0 where goods that were to be hit were bought ahead.
        rank: rank correlation over cells of the change forecast and realised.
        coverage: share of the imports before of cells that came within the range p5 to p95; NaN without draws.
        cells: number of partners' industries behind slope, rank and coverage.
    """

    error: float
    total: float
    realised_total: float
    slope: Slope
    controlled: Slope
    placebo: Slope
    rank: float
    coverage: float
    cells: int


def partner_growth(cells: pl.DataFrame, forecast: str) -> pl.DataFrame:
    """Sum cells by partner: `origin`, `before`, `realised`, `forecast` (growth, fractions), largest first.

    Args:
        cells: origin, before, after (USD; null where not known yet), and the relative change of each forecast.
        forecast: name of the column of the forecast.
    """
    ahead = (pl.col("before") * pl.col(forecast)).sum() / pl.col("before").sum() - 1.0
    known = pl.col("after").null_count() == 0
    realised = pl.when(known).then(pl.col("after").sum() / pl.col("before").sum() - 1.0)
    return (
        cells.group_by("origin")
        .agg(pl.col("before").sum(), realised=realised, forecast=ahead)
        .sort("before", "origin", descending=[True, False])
    )


def growth_of(cells: pl.DataFrame, forecast: str) -> tuple[float, float]:
    """Growth forecast and realised of all cells together, as fractions."""
    before, ahead, after = (cells[name].to_numpy() for name in ("before", forecast, "after"))
    total = before.sum()
    return float((before * ahead).sum() / total - 1.0), float(after.sum() / total - 1.0)


def score(
    partners: pl.DataFrame, every: pl.DataFrame, forecast: str, least: float, ranges: tuple[str, str] | None
) -> TradeScore:
    """Score a forecast.

    Args:
        partners: cells of the partners scored: origin, industry, before, after, early (relative change in the months
            before the duties), and the relative change of each forecast.
        every: cells of all partners, for the totals.
        forecast: name of the column of the forecast.
        least: imports before from which a cell counts, USD.
        ranges: names of the columns of p5 and p95 of the relative change, if there are any.
    """
    growth = partner_growth(partners, forecast)
    before, ahead, came = (growth[name].to_numpy() for name in ("before", "forecast", "realised"))
    cells = partners.filter(
        (pl.col("industry") != "")
        & (pl.col("before") >= least)
        & (pl.col("after") > 0)
        & (pl.col("early") > 0)
    )
    change, realised, early = (np.log(cells[name].to_numpy()) for name in (forecast, "realised", "early"))
    weights, industry = cells["before"].to_numpy(), cells["industry"]
    total, realised_total = growth_of(every, forecast)
    return TradeScore(
        error=float(np.average(np.abs(ahead - came), weights=before) * PERCENT),
        total=total,
        realised_total=realised_total,
        slope=slope_of(realised, [change], industry, weights),
        controlled=slope_of(realised, [change, early], industry, weights),
        placebo=slope_of(early, [change], industry, weights),
        rank=_rank_correlation(change, realised),
        coverage=_coverage(cells, ranges) if ranges else float("nan"),
        cells=cells.height,
    )


def slope_of(outcome: F64, causes: list[F64], groups: pl.Series, weights: F64) -> Slope:
    """Fit weighted least squares with an effect of each group; the slope of the first cause."""
    effects = groups.to_dummies().to_numpy().astype(np.float64)
    factors = np.column_stack([*causes, effects]) if len(outcome) else np.zeros((0, 1))
    if len(outcome) <= factors.shape[1] or np.ptp(causes[0]) == 0.0:
        return Slope(float("nan"), float("nan"))
    bread = np.linalg.pinv((factors * weights[:, None]).T @ factors)
    found = bread @ ((factors * weights[:, None]).T @ outcome)
    scores = factors * (weights * (outcome - factors @ found))[:, None]
    covariance = bread @ (scores.T @ scores) @ bread
    return Slope(float(found[0]), float(np.sqrt(covariance[0, 0])))


def _rank_correlation(one: F64, other: F64) -> float:
    if len(one) < 2 or np.ptp(one) == 0.0:
        return float("nan")
    first, second = (pl.Series(values).rank().to_numpy() for values in (one, other))
    return float(np.corrcoef(first, second)[0, 1])


def _coverage(cells: pl.DataFrame, ranges: tuple[str, str]) -> float:
    came, low, high, before = (cells[name].to_numpy() for name in ("realised", *ranges, "before"))
    return float(np.average((low <= came) & (came <= high), weights=before)) if len(before) else float("nan")
