"""Draw the trade elasticity of the world: factors on it, and ranges of results over them.

No spread of the published elasticity itself is printed. Its relative spread is what products have in common of the
spread of long-run sigma - 1: see docs/models/uncertainty.md, and `response/data` for the sources.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
import polars as pl

from tariffs.engine.base.array_utils import F64
from tariffs.engine.response.constants import constant
from tariffs.engine.response.elasticities.draws import Draws
from tariffs.engine.response.elasticities.parameters import parameters_for

RANGED = ("welfare", "welfare_first_order", "real_wage", "prices", "employment", "exports", "imports")
"""Results that have ranges."""
_ENDS = {"p5": 0.05, "p95": 0.95}


def log_spread() -> float:
    """Standard deviation of the log of the trade elasticity: the mean over chapters of what products have in common."""
    chapters = [f"{chapter:02}" for chapter in range(1, 98) if chapter != _RESERVED]
    spreads = parameters_for(chapters, horizon="long").spread
    return constant("draw_common") * constant("draw_excess") * float(np.mean(spreads))


_RESERVED = 77
"""Chapter of the Harmonized System without goods."""


def elasticity_factors(count: int) -> list[float]:
    """Factors on the trade elasticity with median 1: the middles of so many parts of equal probability, ascending.

    Raises:
        InputError: PARAMETER_INVALID unless `count` is a power of two from 16 to 16,384.
    """
    draws, spread = Draws(count).count, log_spread()
    return [math.exp(spread * NormalDist().inv_cdf((place + 0.5) / draws)) for place in range(draws)]


def with_ranges(central: pl.DataFrame, drawn: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Add `_p5` and `_p95` of results by country over draws, interpolated linearly; null where not defined."""
    columns = list[pl.Series]()
    for name in RANGED:
        values: F64 = np.array([frame[name].to_numpy() for frame in drawn])
        ends = np.quantile(values, list(_ENDS.values()), axis=0)
        columns += [
            pl.Series(f"{name}_{at}", end, nan_to_null=True) for at, end in zip(_ENDS, ends, strict=True)
        ]
    return central.with_columns(columns)
