"""Compute ranges of a run over draws of its elasticities: quantiles, paired differences and a tornado of the total.

Each draw is a whole run of the response on the lines, of which only the sums by group are kept: memory is that of one
run and the sums of all draws. Ranges cover the elasticities and the period of USMCA claim shares, never the law. See
docs/models/uncertainty.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from tariffs.engine.base.array_utils import F64, I64, Bools, ratio
from tariffs.engine.base.chunks import thread_count
from tariffs.engine.errors import InputError
from tariffs.engine.response.adjustment_draws import DrawnPaths
from tariffs.engine.response.adjustment_profile import PathParameters
from tariffs.engine.response.draws import REPLICATES, DrawnParameters, Draws, drawn_parameters
from tariffs.engine.response.trade_response import Response
from tariffs.engine.runs.drawn_claims import DrawnClaims
from tariffs.engine.runs.grouping import AUTHORITY, without_noise
from tariffs.engine.runs.outcome import Outcome
from tariffs.engine.runs.response_sums import SUMS, ResponseSums
from tariffs.engine.runs.table_run import TableRun

QUANTILES = {"p5": 0.05, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p95": 0.95}
WITH_ERROR = ("p5", "p50", "p95")
COLUMNS = (
    "value_after", "duty_after", "effective_rate_after", "landed_after", "value_change", "quantity_hat", "creation",
    "diversion", "buyer_surplus", "welfare",
)  # fmt: skip
TOTAL_COLUMNS = tuple(name for name in COLUMNS if name != "diversion")
"""Columns with ranges of the total: diversion sums to 0 over a product, so its total is rounding alone."""
AUTHORITY_COLUMNS = ("duty_after",)
"""Columns with ranges by authority; the others do not depend on the response."""
_LOW, _HIGH = 0.1, 0.9
_BATCHES = 6
"""Batches of draws of each thread between two reports."""
CLAIMS = "usmca claims"
"""Name of the period of USMCA claim shares in a tornado."""
MOST_SUMS = 2**26
"""Most numbers in the sums of all draws of one point: half a gigabyte."""


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
    """Per-draw sums of one point, (draws, groups, 10) by the keys and (draws, 1, 10) in total; NaN where undefined.

    `duty_after` is (draws, groups, authorities) where the groups are by authority, with the names of its last axis in
    `authorities`.
    """

    groups: F64
    total: F64
    duty_after: F64
    authorities: tuple[str, ...]

    def duty_of(self, group: I64, authority: Sequence[str]) -> F64:
        """Select duty after the response, (draws, rows), by group and authority of each row; 0 without duty."""
        place = {name: index for index, name in enumerate(self.authorities)}
        duty = np.zeros((len(self.total), len(group)))
        for row, name in enumerate(authority):
            if name in place:
                duty[:, row] = self.duty_after[:, group[row], place[name]]
        return duty


@dataclass(frozen=True)
class _MovedTotal:
    """Sums of the total (2, 1, 10) at the low and the high end of a parameter, and its uniforms of the draws."""

    name: str
    ends: F64
    uniforms: F64


ReportShare = Callable[[float], None]
"""Progress callback: takes the share of the draws that is done."""


class UncertaintyRun:
    """Draws of the elasticities over one table and its response.

    Args:
        table_run: the table.
        response: its response, with the central parameters.
        draws: number, seed and spreads of the draws.

    Raises:
        InputError: PARAMETER_INVALID if there are too many groups for that many draws.
    """

    @classmethod
    def of(cls, table_run: TableRun) -> UncertaintyRun | None:
        """Make the draws that the options of a run ask for; None if they ask for none.

        Raises:
            InputError: PARAMETER_INVALID, as for `Draws`, or if there is no response.
        """
        options = table_run.options
        if not options.draws:
            return None
        draws = Draws(options.draws, options.seed, options.spreads)
        if table_run.response is None:
            raise InputError(
                "PARAMETER_INVALID", "Draws are of elasticities, and this run has none.", field="draws",
                fix="Choose a response, or leave the draws out.",
            )  # fmt: skip
        return cls(table_run, table_run.response, draws)

    def __init__(self, table_run: TableRun, response: Response, draws: Draws) -> None:
        self._grouping = table_run.grouping
        _check(self._grouping.count * len(SUMS), draws)
        self._prepared = table_run.prepared
        self._response = response
        self._context = table_run.context
        self._first: dict[str, DrawnPointSums] = {}
        self._sums: dict[Outcome, ResponseSums] = {}
        self.draws = draws
        central, products = response.parameters, self._prepared.products
        self.parameters: DrawnParameters | DrawnPaths = (
            DrawnPaths.of(central, products, draws)
            if isinstance(central, PathParameters)
            else drawn_parameters(central, products, draws)
        )
        self._claims = DrawnClaims.of(table_run, self.parameters.claims, draws.spreads.claims)

    def sums(self, outcomes: Sequence[Outcome], keep: Bools, report: ReportShare) -> DrawnPointSums:
        """Sum every draw by group; sums of a mixture are weighted.

        Args:
            outcomes: the lines under the law of the point, or under each law of a mixture.
            keep: the usable lines.
            report: called now and then with the share of the draws that is done.
        """
        self._sums.clear()
        parts = [part for outcome in outcomes for part in self._claims.of_outcome(outcome)]
        authorities = _charging([part.outcome for part in parts]) if self._grouping.by_authority else ()
        _check(self._grouping.count * max(len(SUMS), len(authorities)), self.draws)
        count = self.draws.count
        groups = np.zeros((count, self._grouping.count, len(SUMS)))
        total = np.zeros((count, 1, len(SUMS)))
        duty_after = np.zeros((count, self._grouping.count, len(authorities)))
        done = 0
        for part in parts:
            sum_outcome = self._outcome_sums(part.outcome, keep, authorities)

            def draw(
                some: I64, sum_outcome: ResponseSums = sum_outcome, weight: float = part.outcome.weight
            ) -> None:
                sums = sum_outcome([self.parameters.draw(index) for index in some])
                groups[some] += weight * sums.groups
                total[some] += weight * sums.total
                duty_after[some] += weight * sums.duty_after.reshape(len(some), *duty_after.shape[1:])

            def report_part(drawn: int, done: int = done) -> None:
                report((done + drawn) / (count * len(outcomes)))

            self._each(part.draws, sum_outcome.at_once, draw, report_part)
            done += len(part.draws)
        return DrawnPointSums(groups, total, duty_after, authorities)

    def ranges(
        self,
        on: str,
        groups: pl.DataFrame,
        total: Mapping[str, float | None],
        outcomes: Sequence[Outcome],
        keep: Bools,
        report: ReportShare,
    ) -> Ranges:
        """Compute quantiles of a point, of its differences from the first point of its day, and its tornado.

        Args:
            on: its day.
            groups: its central results by group.
            total: its central total.
            outcomes: as for `sums`.
            keep: as for `sums`.
            report: as for `sums`.
        """
        sums = self.sums(outcomes, keep, report)
        first = self._first.setdefault(on, sums)
        whole = pl.DataFrame([{name: total[name] for name in ("customs_value", *TOTAL_COLUMNS)}])
        value = whole["customs_value"].to_numpy()
        drawn, theirs = (_total_columns(one.total, value) for one in (sums, first))
        return Ranges(
            self._of_groups(groups, sums, first, self._grouping.present(keep)),
            _quantiles(pl.DataFrame(), whole, drawn, theirs),
            self._tornado(sums.total, float(value[0]), outcomes, keep),
        )

    def _of_groups(
        self, groups: pl.DataFrame, sums: DrawnPointSums, first: DrawnPointSums, present: Bools
    ) -> pl.DataFrame:
        keys = self._grouping.keys
        if not self._grouping.by_authority:
            value = groups["customs_value"].to_numpy()
            drawn, theirs = (_columns(one.groups[:, present], value) for one in (sums, first))
            return _quantiles(keys.filter(pl.Series(present)), groups, drawn, theirs)
        rows = self._grouping.of_rows(groups), groups[AUTHORITY].to_list()
        drawn, theirs = ({name: one.duty_of(*rows) for name in AUTHORITY_COLUMNS} for one in (sums, first))
        return _quantiles(groups.select(*keys.columns, AUTHORITY), groups, drawn, theirs)

    def _outcome_sums(self, outcome: Outcome, keep: Bools, authorities: Sequence[str]) -> ResponseSums:
        """Prepare the sums of an outcome; those of the draws of a point serve its tornado too."""
        if outcome not in self._sums:
            args = (self._prepared, self._grouping, self._response, outcome, keep, authorities)
            self._sums[outcome] = ResponseSums(*args)
        return self._sums[outcome]

    def _each(
        self, indices: I64, at_once: int, work: Callable[[I64], None], report: Callable[[int], None]
    ) -> None:
        """Call `work` for all indices, some at once; every index has its own slots, so threads change no bit."""
        threads = thread_count()
        batches = [indices[first : first + at_once] for first in range(0, len(indices), at_once)]
        with ThreadPoolExecutor(threads) as pool:
            for start in range(0, len(batches), _BATCHES * threads):
                self._context.check()
                for _ in pool.map(work, batches[start : start + _BATCHES * threads]):
                    pass
                report(min((start + _BATCHES * threads) * at_once, len(indices)))

    def _tornado(self, sums: F64, value: float, outcomes: Sequence[Outcome], keep: Bools) -> pl.DataFrame:
        """Move one global dimension to p10 and p90, the others central; largest swing of the total first."""
        moved = self._moved_totals(outcomes, keep)
        drawn = _total_columns(sums, np.array([value]))
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
            for ends in (_total_columns(one.ends, np.array([value])),)
            for column in TOTAL_COLUMNS
        ]
        schema = {"column": pl.String, "parameter": pl.String} | dict.fromkeys(
            ("low", "high", "swing", "rank_correlation"), pl.Float64
        )
        tornado = pl.DataFrame(rows, schema=schema).with_columns(
            pl.col(pl.Float64).fill_nan(None), pl.col("column").cast(pl.Enum(TOTAL_COLUMNS))
        )
        ordered = tornado.sort(
            "column", "swing", descending=[False, True], nulls_last=True, maintain_order=True
        )
        return ordered.with_columns(pl.col("column").cast(pl.String))

    def _moved_totals(self, outcomes: Sequence[Outcome], keep: Bools) -> list[_MovedTotal]:
        """Sum the total at both ends of each parameter that is drawn in common, and under other claim shares."""
        p, dimensions = self.parameters, self._dimensions()
        parameters = [p.moved(dimension, end) for dimension in dimensions for end in (_LOW, _HIGH)]
        ends = np.zeros((len(dimensions), 2, 1, len(SUMS)))
        claims = np.zeros((2, 1, len(SUMS)))
        for outcome in outcomes:
            sum_outcome = self._outcome_sums(outcome, keep, ())

            def end(
                some: I64, sum_outcome: ResponseSums = sum_outcome, weight: float = outcome.weight
            ) -> None:
                ends.reshape(-1, 1, len(SUMS))[some] += (
                    weight * sum_outcome([parameters[one] for one in some]).total
                )

            self._each(np.arange(len(parameters)), sum_outcome.at_once, end, lambda drawn: None)
            if self._claims.periods:
                for place, each in enumerate((self._claims.farthest(outcome), outcome)):
                    claims[place] += outcome.weight * self._outcome_sums(each, keep, ())([p.central]).total[0]
        moved = [
            _MovedTotal(p.names[dimension], ends[place], p.uniforms[:, dimension])
            for place, dimension in enumerate(dimensions)
        ]
        return [*moved, *([_MovedTotal(CLAIMS, claims, p.claims)] if self._claims.periods else [])]

    def _dimensions(self) -> list[int]:
        """List the global dimensions that some product of the table has."""
        shared = self.parameters.names.index("supply") + 1
        return [*range(shared), *(shared + int(place) for place in np.unique(self.parameters.section))]


def _charging(outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    """List the authorities under which some line is charged, sorted."""
    charged = (
        {name for index, name in enumerate(x.duties.authorities) if x.duties.by_authority[:, index].any()}
        for x in outcomes
    )
    return tuple(sorted(set().union(*charged)))


def _check(numbers: int, draws: Draws) -> None:
    """Refuse draws whose `numbers` each exceed the memory limit in all."""
    if draws.count * numbers > MOST_SUMS:
        most = MOST_SUMS // (draws.count * len(SUMS))
        raise InputError(
            "PARAMETER_INVALID", f"{draws.count:,} draws of {numbers // len(SUMS):,} groups do not fit.",
            field="draws",
            fix=f"With that many draws there may be {most:,} groups: take fewer draws or coarser keys.",
        )  # fmt: skip


def _columns(sums: F64, value: F64) -> dict[str, F64]:
    """Compute the result columns (draws, groups) from sums (draws, groups, 10) and customs value by group."""
    columns = {name: sums[:, :, place] for place, name in enumerate(SUMS)}
    columns["effective_rate_after"] = ratio(columns["duty_after"], columns["value_after"])
    columns["quantity_hat"] = ratio(columns["quantity"], np.broadcast_to(value, columns["quantity"].shape))
    columns["diversion"] = without_noise(columns["diversion"], value)
    return {name: columns[name] for name in COLUMNS}


def _total_columns(sums: F64, value: F64) -> dict[str, F64]:
    """Compute the result columns of the whole table, without those whose total is 0 by definition."""
    columns = _columns(sums, value)
    return {name: columns[name] for name in TOTAL_COLUMNS}


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
    blocks = drawn.reshape(REPLICATES, -1, drawn.shape[1])
    quantiles = np.quantile(blocks, [QUANTILES[at] for at in WITH_ERROR], axis=1, method="linear")
    errors = quantiles.std(axis=1, ddof=1) / np.sqrt(REPLICATES)
    return {f"{at}_error": values for at, values in zip(WITH_ERROR, errors, strict=True)}


def _positive(difference: F64) -> F64:
    """Compute the share of draws above 0; NaN where a draw is undefined."""
    share: F64 = np.where(np.isnan(difference).any(axis=0), np.nan, (difference > 0.0).mean(axis=0))
    return share


def _rank_correlation(parameter: F64, drawn: F64) -> float:
    """Compute Spearman's rank correlation; NaN if the column is constant."""
    if np.isnan(drawn).any() or np.ptp(drawn) == 0.0:
        return float("nan")
    ranks = [np.argsort(np.argsort(values, kind="stable"), kind="stable") for values in (parameter, drawn)]
    correlations: F64 = np.asarray(np.corrcoef(ranks))
    return float(correlations[0, 1])
