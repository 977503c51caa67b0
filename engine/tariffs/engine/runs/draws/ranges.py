"""Compute ranges of a point from the sums of its draws: quantiles, paired differences and a tornado of the total.

Ranges cover the elasticities and the period of USMCA claim shares, never the law. See docs/models/uncertainty.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from tariffs.engine.base.array_utils import F64, I64, sum_of
from tariffs.engine.response.elasticities.draws import REPLICATES
from tariffs.engine.runs.column_names import AUTHORITY, DOMESTIC_COLUMNS, INCIDENCE_COLUMNS, LIMIT_COLUMNS
from tariffs.engine.runs.finish import result_columns
from tariffs.engine.runs.sums import Sums, joined, rows_of

QUANTILES = {"p5": 0.05, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p95": 0.95}
WITH_ERROR = ("p5", "p50", "p95")
COLUMNS = (
    "value_after", "duty_after", "effective_rate_after", "landed_after", "value_change", "quantity_hat", "creation",
    "diversion", "buyer_surplus", "welfare",
)  # fmt: skip
"""Columns of every run."""
FURTHER_COLUMNS = (*INCIDENCE_COLUMNS, *LIMIT_COLUMNS, *DOMESTIC_COLUMNS[1:])
"""Columns of incidence, of limits and of sectors, but for shipments at the baseline, which no draw moves."""
TOTAL_COLUMNS = tuple(name for name in COLUMNS if name != "diversion")
"""Columns of every run with ranges of the total: diversion sums to 0 over a product, so its total is rounding alone."""
_DIGITS = 12
"""Digits in which draws are compared: results that a limit makes equal differ by rounding."""


@dataclass(frozen=True)
class Ranges:
    """Ranges of one point.

    `groups` and `total` have the keys, `column`, and of that column `central` (the run without draws), `mean`, p5 to
    p95, `p5_error` to `p95_error` (Monte-Carlo standard errors), and of its difference from the first point of the
    day `vs_p5` to `vs_p95` and `vs_positive`, the share of draws above 0. By authority the only column is `duty_after`.
    `tornado` has `column`, `parameter`, `low`, `high`, `swing` and `rank_correlation` for the total.
    """

    groups: pl.DataFrame
    total: pl.DataFrame
    tornado: pl.DataFrame


class MovedParameter(NamedTuple):
    """Parameter that is drawn in common: its name, its uniforms of the draws, and whether it moves something."""

    name: str
    uniforms: F64
    is_known: bool


@dataclass(frozen=True)
class DrawnPoint:
    """Draws of one point.

    Attributes:
        sums: sums of every draw, a lane each; by authority, `duty_after` at all places.
        ends: sums of the total at the low and the high end of each parameter, the others central (parameters x 2).
        moved: the parameters; for claims the low end is another convention.
    """

    sums: Sums
    ends: Mapping[str, F64]
    moved: tuple[MovedParameter, ...]

    def ranges(self, first: Sums, groups: pl.DataFrame, total: Mapping[str, float | None]) -> Ranges:
        """Compute quantiles of the point, of its differences from the first of its day, and its tornado.

        `groups` and `total` are its central results.
        """
        reported = ("customs_value", *TOTAL_COLUMNS, *FURTHER_COLUMNS)
        whole = pl.DataFrame([{name: total[name] for name in reported if name in total}])
        drawn, theirs = (_ranged(sums.total, TOTAL_COLUMNS, None) for sums in (self.sums, first))
        of_total = _quantiles(pl.DataFrame(), whole, drawn, theirs)
        return Ranges(self._of_groups(groups, first), of_total, _tornado(self))

    def _of_groups(self, groups: pl.DataFrame, first: Sums) -> pl.DataFrame:
        group, keys = rows_of(groups, self.sums.keys), list(self.sums.keys.columns)
        if self.sums.charged is None:
            drawn, theirs = (_ranged(sums.groups, COLUMNS, group) for sums in (self.sums, first))
            return _quantiles(groups.select(keys), groups, drawn, theirs)
        names = groups[AUTHORITY].to_list()
        drawn, theirs = ({"duty_after": _duty_of(sums, group, names)} for sums in (self.sums, first))
        return _quantiles(groups.select(*keys, AUTHORITY), groups, drawn, theirs)


def joined_draws(parts: Sequence[DrawnPoint]) -> DrawnPoint:
    """Join the draws of one point of the parts of a table.

    Draws of a product are the same in every table, since their keys contain its code and no place. A part without
    products that have a parameter stays at its centre.
    """
    return DrawnPoint(
        joined([part.sums for part in parts]),
        {name: sum_of([(1.0, part.ends[name]) for part in parts]) for name in parts[0].ends},
        tuple(
            one[0]._replace(is_known=any(each.is_known for each in one))
            for one in zip(*(part.moved for part in parts), strict=True)
        ),
    )


def _ranged(sums: Mapping[str, F64], columns: Sequence[str], group: I64 | None) -> dict[str, F64]:
    """Compute the result columns that have ranges (draws, rows), given the group of each row; None for totals."""
    found = result_columns({name: values[:, group] for name, values in sums.items()})
    return {name: found[name] for name in (*columns, *FURTHER_COLUMNS) if name in found}


def _duty_of(sums: Sums, group: I64, authority: Sequence[str]) -> F64:
    """Select duty after the response, (draws, rows), by group and authority of each row; 0 without duty."""
    assert sums.charged is not None
    charged, count = sums.charged, sums.count
    keys = (charged.authority * count + charged.group).tolist()
    place_of = {key: place for place, key in enumerate(keys)}
    index = {name: place for place, name in enumerate(charged.names)}
    rows = zip(authority, group.tolist(), strict=True)
    places = np.array([place_of.get(index.get(name, -1) * count + own, -1) for name, own in rows], dtype=int)
    found = charged.columns["duty_after"][:, places]
    found[:, places < 0] = 0.0
    return found


def _tornado(point: DrawnPoint) -> pl.DataFrame:
    """Move one global dimension to p10 and p90, the others central; largest swing of the total first."""
    drawn, ends = result_columns(point.sums.total), result_columns(point.ends)
    known = ((place, one) for place, one in enumerate(point.moved) if one.is_known)
    rows = [
        (column, one.name, low, high, abs(high - low), _rank_correlation(one.uniforms, drawn[column]))
        for place, one in known
        for column in TOTAL_COLUMNS
        for low, high in (ends[column][place],)
    ]
    numbers = ("low", "high", "swing", "rank_correlation")
    schema: dict[str, Any] = {"column": pl.Enum(TOTAL_COLUMNS), "parameter": pl.String}
    schema |= dict.fromkeys(numbers, pl.Float64)
    tornado = pl.DataFrame(rows, schema=schema, orient="row").with_columns(pl.col(pl.Float64).fill_nan(None))
    ordered = tornado.sort("column", "swing", descending=[False, True], nulls_last=True, maintain_order=True)
    return ordered.with_columns(pl.col("column").cast(pl.String))


def _quantiles(
    keys: pl.DataFrame, central: pl.DataFrame, drawn: Mapping[str, F64], theirs: Mapping[str, F64]
) -> pl.DataFrame:
    """Compute the rows of `Ranges`: of each drawn column and of its difference from the first point."""
    blocks = []
    for name in drawn:
        if np.isnan(drawn[name]).all() and drawn[name].size:
            continue
        difference = _difference(drawn[name], theirs[name])
        block: dict[str, Any] = {
            "column": [name] * central.height,
            "central": central[name].cast(pl.Float64),
            "mean": drawn[name].mean(axis=0),
            **_at_quantiles(drawn[name], QUANTILES),
            **_errors(drawn[name]),
            **{f"vs_{at}": values for at, values in _at_quantiles(difference, WITH_ERROR).items()},
            "vs_positive": _positive(difference),
        }
        numbers = pl.DataFrame(block).fill_nan(None)
        blocks.append(pl.concat([keys, numbers], how="horizontal") if keys.width else numbers)
    return pl.concat(blocks)


def _at_quantiles(drawn: F64, names: Iterable[str]) -> dict[str, F64]:
    """Compute quantiles over the draws, interpolated linearly between order statistics (type 7)."""
    values = np.quantile(drawn, [QUANTILES[name] for name in names], axis=0, method="linear")
    return dict(zip(names, values, strict=True))


def _errors(drawn: F64) -> dict[str, F64]:
    """Estimate standard errors of the quantiles from their spread over the replicates."""
    blocks = drawn.reshape(REPLICATES, len(drawn) // REPLICATES, drawn.shape[1])
    quantiles = np.quantile(blocks, [QUANTILES[at] for at in WITH_ERROR], axis=1, method="linear")
    errors = quantiles.std(axis=1, ddof=1) / np.sqrt(REPLICATES)
    return {f"{at}_error": values for at, values in zip(WITH_ERROR, errors, strict=True)}


def _difference(drawn: F64, theirs: F64) -> F64:
    """Subtract draws x groups; what differs by rounding alone, beside a group's largest draw, is equal."""
    difference: F64 = drawn - theirs
    largest = np.maximum(np.abs(drawn), np.abs(theirs)).max(axis=0)
    difference[np.abs(difference) <= 10.0**-_DIGITS * largest] = 0.0
    return difference


def _positive(difference: F64) -> F64:
    """Compute the share of draws above 0; NaN where a draw is undefined."""
    return np.where(np.isnan(difference).any(axis=0), np.nan, (difference > 0.0).mean(axis=0))


def _rank_correlation(parameter: F64, drawn: F64) -> float:
    """Compute Spearman's rank correlation; NaN if the column is constant. What differs by rounding alone is a tie."""
    if np.isnan(drawn).any() or np.ptp(drawn) == 0.0:
        return float("nan")
    levels = np.round(drawn / np.abs(drawn).max(), _DIGITS)
    if np.ptp(levels) == 0.0:
        return float("nan")
    ranks = [pl.Series(values).rank("average").to_numpy() for values in (parameter, levels)]
    correlations: F64 = np.asarray(np.corrcoef(ranks))
    return float(correlations[0, 1])
