"""Move forecast trade among rival origins of an industry, on top of the response within products."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl


def with_rivals(
    cells: pl.DataFrame, path: str, name: str, rivals: Sequence[str], elasticity: float
) -> pl.DataFrame:
    """Add the forecast `name`: that of `path`, with the rivals' trade of an industry shared out by their duties.

    A rival's share moves with the change of its power of duty to minus the elasticity; what rivals sell together stays.

    Args:
        cells: origin, industry, month, `value` before, `power` (change of the power of duty) and the forecast `path`.
        path: name of the forecast before.
        name: name of the forecast to add.
        rivals: origins, as data has them.
        elasticity: of substitution between rivals across the products of an industry.
    """
    is_rival = pl.col("origin").is_in(list(rivals))
    pull = pl.col("power") ** -elasticity
    sold = pl.when(is_rival).then(pl.col("value") * pl.col(path)).otherwise(0.0)
    together = (sold * pull).sum().over("industry", "month") / sold.sum().over("industry", "month")
    return cells.with_columns(
        pl.when(is_rival & (together > 0.0))
        .then(pl.col(path) * pull / together)
        .otherwise(pl.col(path))
        .alias(name)
    )
