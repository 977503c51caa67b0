"""Ranges of a run over draws of its elasticities: quantiles, paired differences, and what moves the total.

Each draw is a whole run of the response on the lines, kept only as its sums by group, so memory is that of one run
and the sums of all draws. Ranges cover the elasticities alone, never the law. See docs/models/uncertainty.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import polars as pl

from tariffs.engine.chunks import thread_count
from tariffs.engine.errors import InputError
from tariffs.engine.groups import AUTHORITY, Grouping, product_sums
from tariffs.engine.lineset import F64, I64, Bools
from tariffs.engine.numbers import ratio
from tariffs.engine.response.draws import REPLICATES, DrawnParameters, Draws, drawn_parameters
from tariffs.engine.response.parameters import ProductParameters
from tariffs.engine.tables import PreparedTable
from tariffs.engine.valuation import Outcome, Run, Valuer
from tariffs.engine.volume import Response, per_product

QUANTILES = {"p5": 0.05, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p95": 0.95}
WITH_ERROR = ("p5", "p50", "p95")
COLUMNS = (
    "value_after", "duty_after", "effective_rate_after", "landed_after", "value_change", "quantity_hat", "creation",
    "diversion", "buyer_surplus", "welfare",
)  # fmt: skip
_LINE_SUMS = (
    "value_after",
    "duty_after",
    "landed_after",
    "value_change",
    "quantity",
    "creation",
    "diversion",
)
_PRODUCT_SUMS = ("buyer_surplus", "welfare")
_SUMS = (*_LINE_SUMS, *_PRODUCT_SUMS)
_LOW, _HIGH = 0.1, 0.9
MOST_SUMS = 2**26
"""Numbers that the sums of all draws of one point may hold: half a gigabyte."""


@dataclass(frozen=True)
class Ranges:
    """Ranges of one point.

    `groups` and `total` have the keys, `column`, and of that column `central` (the run without draws), `mean`, p5 to
    p95, `p5_error` to `p95_error` (Monte-Carlo standard errors), and of its difference from the first point of the
    day `vs_p5` to `vs_p95` and `vs_positive`, the share of draws in which it is above 0. `tornado` has `column`,
    `parameter`, `low`, `high`, `swing` and `rank_correlation` for the total.
    """

    groups: pl.DataFrame
    total: pl.DataFrame
    tornado: pl.DataFrame


@dataclass(frozen=True)
class Sums:
    """Per-draw sums of one point, (draws, groups, 9) by the keys and (draws, 1, 9) in total; NaN where undefined."""

    groups: F64
    total: F64


Tell = Callable[[float], None]
"""Takes the share of the draws that is done."""


class Drawing:
    """Draws over one table and its response.

    Args:
        prepared: the table.
        grouping: the groups of the results.
        response: the response, with its central parameters.
        draws: how many draws, of which seed, how wide.
        run: progress and cancellation.

    Raises:
        InputError: PARAMETER_INVALID if the groups are by authority, or too many for that many draws.
    """

    @classmethod
    def of(cls, valuer: Valuer) -> Drawing | None:
        """The draws that the options of a run ask for; None if they ask for none.

        Raises:
            InputError: PARAMETER_INVALID, as for `Draws`, or if nothing responds.
        """
        options = valuer.options
        if not options.draws:
            return None
        draws = Draws(options.draws, options.seed, options.spreads)
        if valuer.response is None:
            raise InputError(
                "PARAMETER_INVALID", "Draws are of elasticities, and this run has none.", field="draws",
                fix="Choose a response, or leave the draws out.",
            )  # fmt: skip
        return cls(valuer.prepared, valuer.grouping, valuer.response, draws, valuer.run)

    def __init__(
        self, prepared: PreparedTable, grouping: Grouping, response: Response, draws: Draws, run: Run
    ) -> None:
        _check(grouping, draws)
        self._prepared = prepared
        self._groupings = (grouping, Grouping.whole(prepared))
        self._response = response
        self._run = run
        self._first: dict[str, Sums] = {}
        self.draws = draws
        elasticity = "sigma" if response.model == "armington" else "eta"
        self.parameters: DrawnParameters = drawn_parameters(
            response.parameters, prepared.products, draws, elasticity=elasticity
        )

    def sums(self, outcomes: Sequence[Outcome], keep: Bools, tell: Tell) -> Sums:
        """The sums of every draw; those of a mixture are weighted.

        Args:
            outcomes: the lines under the law of the point, or under each law of a mixture.
            keep: the lines that count.
            tell: called now and then with the share that is done.
        """
        count = self.draws.count
        found = [np.zeros((count, grouping.count, len(_SUMS))) for grouping in self._groupings]
        for place, outcome in enumerate(outcomes):
            one = self._one(outcome, keep)

            def draw(index: int, one: _One = one, weight: float = outcome.weight) -> None:
                for total, sums in zip(found, one(self.parameters.draw(index)), strict=True):
                    total[index] += weight * sums

            self._each(count, draw, partial(_shared, tell, place, len(outcomes)))
        return Sums(*found)

    def ranges(
        self,
        on: str,
        groups: pl.DataFrame,
        total: Mapping[str, float | None],
        outcomes: Sequence[Outcome],
        keep: Bools,
        tell: Tell,
    ) -> Ranges:
        """Quantiles of a point, of its differences from the first point of its day, and its tornado.

        Args:
            on: its day.
            groups: its central results by group.
            total: its central total.
            outcomes: as for `sums`.
            keep: as for `sums`.
            tell: as for `sums`.
        """
        sums = self.sums(outcomes, keep, tell)
        first = self._first.setdefault(on, sums)
        keys = self._groupings[0].keys
        whole = pl.DataFrame([{name: total[name] for name in ("customs_value", *COLUMNS)}])
        return Ranges(
            _quantiles(keys, groups, sums.groups, first.groups),
            _quantiles(pl.DataFrame(), whole, sums.total, first.total),
            self._tornado(sums.total, float(whole["customs_value"][0]), outcomes, keep),
        )

    def _one(self, outcome: Outcome, keep: Bools) -> _One:
        return _One(self._prepared, self._groupings, self._response, outcome, keep)

    def _each(self, count: int, work: Callable[[int], None], tell: Tell) -> None:
        """Call `work` for each index; every index has slots of its own, so threads change no bit."""
        threads = thread_count()
        with ThreadPoolExecutor(threads) as pool:
            for start in range(0, count, 4 * threads):
                self._run.check()
                for _ in pool.map(work, range(start, min(start + 4 * threads, count))):
                    pass
                tell(min(start + 4 * threads, count) / count)

    def _tornado(self, sums: F64, value: float, outcomes: Sequence[Outcome], keep: Bools) -> pl.DataFrame:
        """The total with one global dimension at p10 and p90 and the others in the middle, largest swing first."""
        dimensions = self._moving()
        runs = [(dimension, quantile) for dimension in dimensions for quantile in (_LOW, _HIGH)]
        ends = np.zeros((len(runs), 1, len(_SUMS)))
        for outcome in outcomes:
            one = self._one(outcome, keep)

            def end(index: int, one: _One = one, weight: float = outcome.weight) -> None:
                ends[index] += weight * one(self.parameters.moved(*runs[index]))[1]

            self._each(len(runs), end, lambda done: None)
        drawn, moved = _columns(sums, np.array([value])), _columns(ends, np.array([value]))
        rows = [
            {
                "column": column,
                "parameter": self.parameters.names[dimension],
                "low": moved[column][2 * place, 0],
                "high": moved[column][2 * place + 1, 0],
                "swing": abs(moved[column][2 * place + 1, 0] - moved[column][2 * place, 0]),
                "rank_correlation": _rank_correlation(
                    self.parameters.uniforms[:, dimension], drawn[column][:, 0]
                ),
            }
            for column in COLUMNS
            for place, dimension in enumerate(dimensions)
        ]
        schema = {"column": pl.String, "parameter": pl.String} | dict.fromkeys(
            ("low", "high", "swing", "rank_correlation"), pl.Float64
        )
        found = pl.DataFrame(rows, schema=schema).with_columns(
            pl.col(pl.Float64).fill_nan(None), pl.col("column").cast(pl.Enum(COLUMNS))
        )
        ordered = found.sort(
            "column", "swing", descending=[False, True], nulls_last=True, maintain_order=True
        )
        return ordered.with_columns(pl.col("column").cast(pl.String))

    def _moving(self) -> list[int]:
        """The global dimensions that some product of the table has."""
        shared = self.parameters.names.index("supply") + 1
        return [*range(shared), *(shared + int(place) for place in np.unique(self.parameters.section))]


class _One:
    """Sums by group of one outcome, as a function of the parameters."""

    def __init__(
        self,
        prepared: PreparedTable,
        groupings: tuple[Grouping, ...],
        response: Response,
        outcome: Outcome,
        keep: Bools,
    ) -> None:
        lines = prepared.lines
        self._solve = response.solver(outcome.duties)
        self._groupings = groupings
        self._response = response
        self._adjust = outcome.adjust
        self._keep = keep
        self._product_of_line = prepared.product_of_line
        self._of_line: I64 = response.varieties.of_line
        share = ratio(lines.value, response.varieties.value[self._of_line], 0.0)
        if outcome.adjust is not None:
            self._of_line, share = np.arange(lines.count), np.ones(lines.count)
        rate = ratio(outcome.duties.duty, lines.value, 0.0)
        self._lines = np.stack([lines.value, lines.freight + lines.insurance, share, rate])

    def __call__(self, parameters: ProductParameters) -> list[F64]:
        """The sums by each grouping, (groups, 9)."""
        from tariffs.engine.kernels.draws import sum_draw

        found: Any = self._solve(parameters)
        if self._adjust is not None:
            found = self._adjust(self._response.to_lines(found))
        varieties = np.stack([found.value, found.quantity_hat, found.creation, found.diversion])
        products = len(parameters.sigma)
        owned = {
            name: per_product(getattr(found, name), self._response.varieties.product, products)
            for name in _PRODUCT_SUMS
        }
        out = []
        for grouping in self._groupings:
            sums = np.full((grouping.count, len(_SUMS)), np.nan)
            line_sums = np.zeros((grouping.count, len(_LINE_SUMS)))
            sum_draw(grouping.of_line, self._keep, self._of_line, self._lines, varieties, line_sums)
            sums[:, : len(_LINE_SUMS)] = line_sums
            for name, values in product_sums(grouping, self._product_of_line, owned).items():
                sums[:, _SUMS.index(name)] = values
            out.append(sums)
        return out


def _shared(tell: Tell, place: int, places: int, share: float) -> None:
    tell((place + share) / places)


def _check(grouping: Grouping, draws: Draws) -> None:
    if grouping.by_authority:
        raise InputError(
            "PARAMETER_INVALID", "Ranges are not given by authority.", field="by",
            fix=f"Leave {AUTHORITY} out of the keys, or run without draws.",
        )  # fmt: skip
    sums = draws.count * grouping.count * len(_SUMS)
    if sums > MOST_SUMS:
        most = MOST_SUMS // (draws.count * len(_SUMS))
        raise InputError(
            "PARAMETER_INVALID", f"{draws.count:,} draws of {grouping.count:,} groups do not fit.", field="draws",
            fix=f"With that many draws there may be {most:,} groups: take fewer draws or coarser keys.",
        )  # fmt: skip


def _columns(sums: F64, value: F64) -> dict[str, F64]:
    """The result columns (draws, groups) from sums (draws, groups, 9) and the customs value of the groups."""
    found = {name: sums[:, :, place] for place, name in enumerate(_SUMS)}
    found["effective_rate_after"] = ratio(found["duty_after"], found["value_after"])
    found["quantity_hat"] = ratio(found["quantity"], np.broadcast_to(value, found["quantity"].shape))
    return {name: found[name] for name in COLUMNS}


def _quantiles(keys: pl.DataFrame, central: pl.DataFrame, sums: F64, first: F64) -> pl.DataFrame:
    value = central["customs_value"].to_numpy()
    drawn, theirs = _columns(sums, value), _columns(first, value)
    blocks = []
    for name in COLUMNS:
        if np.isnan(drawn[name]).all():
            continue
        block: dict[str, Any] = {
            "column": [name] * len(value),
            "central": central[name].cast(pl.Float64),
            "mean": drawn[name].mean(axis=0),
            **_at_quantiles(drawn[name], QUANTILES),
            **_errors(drawn[name]),
            **{
                f"vs_{at}": values
                for at, values in _at_quantiles(
                    drawn[name] - theirs[name], {at: QUANTILES[at] for at in WITH_ERROR}
                ).items()
            },
            "vs_positive": _positive(drawn[name] - theirs[name]),
        }
        numbers = pl.DataFrame(block).fill_nan(None)
        blocks.append(pl.concat([keys, numbers], how="horizontal") if keys.width else numbers)
    return pl.concat(blocks)


def _at_quantiles(drawn: F64, wanted: Mapping[str, float]) -> dict[str, F64]:
    """Quantiles over the draws, interpolated linearly between order statistics (type 7)."""
    found = np.quantile(drawn, list(wanted.values()), axis=0, method="linear")
    return dict(zip(wanted, found, strict=True))


def _errors(drawn: F64) -> dict[str, F64]:
    """Standard errors of the quantiles, from their spread over the replicates."""
    blocks = drawn.reshape(REPLICATES, -1, drawn.shape[1])
    found = np.quantile(blocks, [QUANTILES[at] for at in WITH_ERROR], axis=1, method="linear")
    errors = found.std(axis=1, ddof=1) / np.sqrt(REPLICATES)
    return {f"{at}_error": values for at, values in zip(WITH_ERROR, errors, strict=True)}


def _positive(difference: F64) -> F64:
    """The share of draws above 0; NaN where a draw is undefined."""
    share: F64 = np.where(np.isnan(difference).any(axis=0), np.nan, (difference > 0.0).mean(axis=0))
    return share


def _rank_correlation(parameter: F64, drawn: F64) -> float:
    """Spearman's, NaN if the column does not move."""
    if np.isnan(drawn).any() or np.ptp(drawn) == 0.0:
        return float("nan")
    ranks = [np.argsort(np.argsort(values, kind="stable"), kind="stable") for values in (parameter, drawn)]
    found: F64 = np.asarray(np.corrcoef(ranks))
    return float(found[0, 1])
