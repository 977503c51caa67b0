"""Compute ranges of a point from the sums of its draws: quantiles, paired differences and a tornado of the total.

Ranges cover the elasticities and the period of USMCA claim shares, never the law. See docs/models/uncertainty.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from tariffs.engine.base.array_utils import F64, I64, Bools
from tariffs.engine.response.draws import REPLICATES
from tariffs.engine.runs.drawn_columns import FURTHER_COLUMNS, TOTAL_COLUMNS, drawn_columns, drawn_incidence
from tariffs.engine.runs.grouping import AUTHORITY, rows_of
from tariffs.engine.runs.response_sums import SUMS

QUANTILES = {"p5": 0.05, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p95": 0.95}
WITH_ERROR = ("p5", "p50", "p95")
AUTHORITY_COLUMNS = ("duty_after",)
_DIGITS_OF_RANKS = 12
"""Columns with ranges by authority; the others do not depend on the response."""


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


@dataclass(frozen=True)
class DrawnPointSums:
    """Per-draw sums of one point, (draws, groups, names) by the keys and (draws, 1, names) in total; NaN if undefined.

    `names` are those of the sums. `duty_after` is (draws, groups, authorities) where the groups are by authority, with
    the names of its last axis in `authorities`.
    """

    groups: F64
    total: F64
    duty_after: F64
    authorities: tuple[str, ...]
    names: tuple[str, ...] = SUMS

    def duty_of(self, group: I64, authority: Sequence[str]) -> F64:
        """Select duty after the response, (draws, rows), by group and authority of each row; 0 without duty."""
        place = {name: index for index, name in enumerate(self.authorities)}
        duty = np.zeros((len(self.total), len(group)))
        for row, name in enumerate(authority):
            if name in place:
                duty[:, row] = self.duty_after[:, group[row], place[name]]
        return duty


@dataclass(frozen=True)
class MovedTotal:
    """Sums of the total (2, 1, 10) at the low and the high end of a parameter, and its uniforms of the draws."""

    name: str
    ends: F64
    uniforms: F64


@dataclass(frozen=True)
class DrawnPoint:
    """Draws of one point.

    Attributes:
        sums: sums of every draw.
        moved: totals with one parameter moved and the others central.
        central: sums of the total (1, 10) with all parameters central.
        keys: keys of the groups of the sums, without authority; a row a group.
        present: the groups with a line that is kept.
        by_authority: True if results are by authority too.
        base_duty: duty of the baseline by group, USD; None for a run without columns of incidence.
    """

    sums: DrawnPointSums
    moved: tuple[MovedTotal, ...]
    central: F64
    keys: pl.DataFrame
    present: Bools
    by_authority: bool
    base_duty: F64 | None = None

    def ranges(
        self, first: DrawnPointSums, groups: pl.DataFrame, total: Mapping[str, float | None]
    ) -> Ranges:
        """Compute quantiles of the point, of its differences from another, and its tornado.

        Args:
            first: the sums of the first point of its day.
            groups: the central results of the point by group.
            total: its central total.
        """
        reported = ("customs_value", *TOTAL_COLUMNS, *FURTHER_COLUMNS)
        whole = pl.DataFrame([{name: total[name] for name in reported if name in total}])
        value = whole["customs_value"].to_numpy()
        drawn, theirs = (_of_total(one, value, self.base_duty) for one in (self.sums, first))
        return Ranges(
            self._of_groups(groups, first),
            _quantiles(pl.DataFrame(), whole, drawn, theirs),
            _tornado(self.moved, self.sums.total, float(value[0])),
        )

    def _of_groups(self, groups: pl.DataFrame, first: DrawnPointSums) -> pl.DataFrame:
        if not self.by_authority:
            value = groups["customs_value"].to_numpy()
            drawn, theirs = (self._by_group(one, value) for one in (self.sums, first))
            return _quantiles(self.keys.filter(pl.Series(self.present)), groups, drawn, theirs)
        rows = rows_of(groups, self.keys), groups[AUTHORITY].to_list()
        drawn, theirs = (
            {name: one.duty_of(*rows) for name in AUTHORITY_COLUMNS} for one in (self.sums, first)
        )
        return _quantiles(groups.select(*self.keys.columns, AUTHORITY), groups, drawn, theirs)

    def _by_group(self, sums: DrawnPointSums, value: F64) -> dict[str, F64]:
        present = sums.groups[:, self.present]
        columns = drawn_columns(present, sums.names, value)
        if self.base_duty is None:
            return columns
        return columns | drawn_incidence(present, sums.names, self.base_duty[self.present])


def _of_total(sums: DrawnPointSums, value: F64, base_duty: F64 | None) -> dict[str, F64]:
    """Compute the result columns of the whole table, without those whose total is 0 by definition.

    Incidence is that of the sums of groups, as in the run without draws, whose bits it has.
    """
    columns = drawn_columns(sums.total, sums.names, value)
    if base_duty is not None:
        of_groups = np.array([[[column.sum() for column in draw.T]] for draw in sums.groups])
        columns |= drawn_incidence(of_groups, sums.names, base_duty.sum(keepdims=True))
    return {name: columns[name] for name in (*TOTAL_COLUMNS, *FURTHER_COLUMNS) if name in columns}


def _tornado(moved: Sequence[MovedTotal], sums: F64, value: float) -> pl.DataFrame:
    """Move one global dimension to p10 and p90, the others central; largest swing of the total first."""
    drawn = drawn_columns(sums[:, :, : len(SUMS)], SUMS, np.array([value]))
    rows = [
        {
            "column": column,
            "parameter": one.name,
            "low": ends[column][0, 0],
            "high": ends[column][1, 0],
            "swing": abs(ends[column][1, 0] - ends[column][0, 0]),
            "rank_correlation": _rank_correlation(one.uniforms, drawn[column][:, 0]),
        }
        for one in moved
        for ends in (drawn_columns(one.ends, SUMS, np.array([value])),)
        for column in TOTAL_COLUMNS
    ]
    schema = {"column": pl.String, "parameter": pl.String} | dict.fromkeys(
        ("low", "high", "swing", "rank_correlation"), pl.Float64
    )
    tornado = pl.DataFrame(rows, schema=schema).with_columns(
        pl.col(pl.Float64).fill_nan(None), pl.col("column").cast(pl.Enum(TOTAL_COLUMNS))
    )
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
        difference = drawn[name] - theirs[name]
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


def _positive(difference: F64) -> F64:
    """Compute the share of draws above 0; NaN where a draw is undefined."""
    share: F64 = np.where(np.isnan(difference).any(axis=0), np.nan, (difference > 0.0).mean(axis=0))
    return share


def _rank_correlation(parameter: F64, drawn: F64) -> float:
    """Compute Spearman's rank correlation; NaN if the column is constant.

    Results that a limit makes equal differ by rounding, which depends on the order of the groups: they are ties.
    """
    if np.isnan(drawn).any() or np.ptp(drawn) == 0.0:
        return float("nan")
    levels = np.round(drawn / np.abs(drawn).max(), _DIGITS_OF_RANKS)
    if np.ptp(levels) == 0.0:
        return float("nan")
    ranks = [pl.Series(values).rank("average").to_numpy() for values in (parameter, levels)]
    correlations: F64 = np.asarray(np.corrcoef(ranks))
    return float(correlations[0, 1])
