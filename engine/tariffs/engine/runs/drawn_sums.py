"""Sum one outcome by group as a function of the elasticities: the results kept of each draw."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tariffs.engine.base.array_utils import F64, I64, Bools, ratio, sums_of
from tariffs.engine.response.armington_draws import ArmingtonDraws
from tariffs.engine.response.parameters import ProductParameters
from tariffs.engine.response.trade_response import Response, is_loss_finite, per_product, products_of
from tariffs.engine.runs.grouping import Grouping
from tariffs.engine.runs.outcome import Outcome
from tariffs.engine.tables.prepare import PreparedTable

LINE_SUMS = (
    "value_after", "duty_after", "landed_after", "value_change", "quantity", "creation", "diversion",
)  # fmt: skip
PRODUCT_SUMS = ("buyer_surplus", "welfare")
SUMS = (*LINE_SUMS, *PRODUCT_SUMS)
SIDE_BY_SIDE = 16
"""Draws computed together: enough to share work that does not depend on them, few enough for the processor's cache."""


@dataclass(frozen=True)
class DrawSums:
    """Sums of a few draws: (draws, groups, 9) by the keys and (draws, 1, 9) in total, NaN where undefined.

    `duty_after` is (draws, groups x authorities), the authorities of a group adjacent.
    """

    groups: F64
    total: F64
    duty_after: F64


class OutcomeSums:
    """Sums of one outcome for any elasticities, with the bits of a plain run with the same elasticities.

    Args:
        prepared: the table.
        grouping: the groups of the results.
        response: the response, with its central parameters.
        outcome: the lines under one law.
        keep: the usable lines.
        authorities: the authorities whose duty is summed by group.

    Attributes:
        at_once: most draws of one call.
    """

    def __init__(
        self,
        prepared: PreparedTable,
        grouping: Grouping,
        response: Response,
        outcome: Outcome,
        keep: Bools,
        authorities: Sequence[str],
    ) -> None:
        whole = Grouping.whole(prepared)
        self._groupings = (grouping, whole)
        self._keep = keep
        self._rows = np.stack([grouping.of_line, whole.of_line + grouping.count])
        self._group_of_product = [
            one.of_product(prepared.product_of_line, len(prepared.products)) for one in self._groupings
        ]
        alone = response.model != "armington" or response.market or not _closes_whole(response, outcome)
        if alone or response.parameters.domestic_ratio.any():
            self._run, self.at_once = _one_by_one(prepared, response, outcome), 1
        else:
            self._run, self.at_once = _side_by_side(prepared, response, outcome), SIDE_BY_SIDE
        self._parts = _AuthorityDuty.of(grouping, outcome, keep, authorities)

    def __call__(self, parameters: Sequence[ProductParameters]) -> DrawSums:
        """Sum the lines under each of the parameters."""
        from tariffs.engine.response.kernels.draws import sum_parts

        trade = self._run(parameters)
        draws, count = len(parameters), self._groupings[0].count
        rows = np.zeros((count + 1, len(LINE_SUMS) * draws))
        trade.add_lines(self._rows, self._keep, rows)
        lines = np.moveaxis(rows.reshape(count + 1, len(LINE_SUMS), draws), -1, 0)
        groups, total = (
            np.concatenate([part, self._product_sums(place, trade.owned)], axis=2)
            for place, part in enumerate((lines[:, :count], lines[:, count:]))
        )
        parts = np.zeros((self._parts.rows, draws))
        sum_parts(self._parts.row, self._parts.line, self._parts.duty, *trade.growth, parts)
        return DrawSums(groups, total, parts.T)

    def _product_sums(self, place: int, owned: F64) -> F64:
        """Sum surplus and welfare (draws, groups, 2) by one of the groupings, from (2, products, draws)."""
        group, count = self._group_of_product[place], self._groupings[place].count
        if group is None:
            return np.full((owned.shape[2], count, len(PRODUCT_SUMS)), np.nan)
        sums = [
            [sums_of(group, values, count) for values in owned[:, :, draw]] for draw in range(owned.shape[2])
        ]
        return np.moveaxis(np.array(sums), 1, 2)


@dataclass(frozen=True)
class _AuthorityDuty:
    """Duty of lines by authority: row of (group, authority), line, amount before the response."""

    row: I64
    line: I64
    duty: F64
    rows: int

    @classmethod
    def of(
        cls, grouping: Grouping, outcome: Outcome, keep: Bools, authorities: Sequence[str]
    ) -> _AuthorityDuty:
        duties, value = outcome.duties, outcome.columns["customs_value"]
        # The duty grows with the whole value of its line, of which only the part that may be imported bears it.
        on_open = ratio(value, value - duties.prohibited, 1.0)
        row, line, duty = [], [], []
        for place, authority in enumerate(authorities):
            if authority in duties.authorities:
                column = duties.by_authority[:, duties.authorities.index(authority)] * on_open
                charged = np.flatnonzero((column != 0.0) & keep)
                row.append(grouping.of_line[charged] * len(authorities) + place)
                line.append(charged)
                duty.append(column[charged])
        nothing = np.zeros(0, dtype=np.int64)
        return cls(
            np.concatenate([nothing, *row]),
            np.concatenate([nothing, *line]),
            np.concatenate([np.zeros(0), *duty]),
            grouping.count * len(authorities),
        )


@dataclass(frozen=True)
class _DrawnTrade:
    """Trade under a few draws.

    Attributes:
        add_lines: adds the lines into sums by group.
        owned: surplus and welfare per product.
        growth: arguments of `sum_parts` from the cells on.
    """

    add_lines: Callable[[I64, Bools, F64], None]
    owned: F64
    growth: tuple[I64, F64, F64, F64]


_Runner = Callable[[Sequence[ProductParameters]], _DrawnTrade]


def _lines(prepared: PreparedTable, outcome: Outcome, share: F64) -> F64:
    """Stack per line: value, charges, share of the variety, duty rate, one plus the tax."""
    lines = prepared.lines
    taxed = np.ones(lines.count) if lines.vat is None else 1.0 + lines.vat
    rate = ratio(outcome.duties.duty, lines.value - outcome.duties.prohibited, 0.0)
    # Charges outside the base of duty are outside that of the tax too, and the kernel multiplies all by it.
    charges = (lines.freight + lines.insurance) / taxed
    return np.stack([lines.value, charges, share, rate, taxed])


def _closes_whole(response: Response, outcome: Outcome) -> bool:
    """Test that nothing but prohibitions of whole varieties adjusts the volume of an outcome."""
    prohibited = outcome.duties.prohibited
    closed = response.varieties.closed(prohibited)[response.varieties.of_line]
    return outcome.constraints is None and bool((closed | (prohibited == 0.0)).all())


def _side_by_side(prepared: PreparedTable, response: Response, outcome: Outcome) -> _Runner:
    from tariffs.engine.response.kernels.draws import sum_cells

    v = response.varieties
    run = ArmingtonDraws(
        v.product,
        v.value,
        response.base_rate,
        response.rate_under(outcome.duties),
        kappa=response.parameters.kappa,
    )
    traded = v.value[v.of_line]
    lines = _lines(prepared, outcome, ratio(prepared.lines.value, traded, 0.0))
    cell, product = run.cell_of[v.of_line], run.product_of[v.of_line]
    closed = v.closed(outcome.duties.prohibited)
    closed_cells = np.unique(run.cell_of[closed])
    unbounded = products_of(v, closed, len(response.parameters.sigma)) & ~is_loss_finite(response, closed)

    def trade(parameters: Sequence[ProductParameters]) -> _DrawnTrade:
        volume = run([(p.sigma, p.eta, p.supply) for p in parameters])
        # As `without_prohibited`: nothing is left of goods at the prohibitive rate, and an unbounded loss is unknown.
        volume.hats[closed_cells] = 0.0
        volume.owned[:, unbounded] = np.nan

        def add_lines(rows: I64, keep: Bools, out: F64) -> None:
            sum_cells(rows, keep, cell, product, lines, traded, volume.hats, volume.growths, out)

        return _DrawnTrade(add_lines, volume.owned, (cell, lines, traded, volume.hats))

    return trade


def _one_by_one(prepared: PreparedTable, response: Response, outcome: Outcome) -> _Runner:
    from tariffs.engine.response.kernels.draws import sum_lines

    solve, adjust, v = response.solver(outcome.duties), outcome.adjust, response.varieties
    of_line, share = v.of_line, ratio(prepared.lines.value, v.value[v.of_line], 0.0)
    if adjust is not None:
        of_line, share = np.arange(prepared.lines.count), np.ones(prepared.lines.count)
    lines = _lines(prepared, outcome, share)
    one_cell, as_is = np.zeros(prepared.lines.count, dtype=np.int64), np.ones((1, 2, 1))

    def trade(parameters: Sequence[ProductParameters]) -> _DrawnTrade:
        (only,) = parameters
        volume: Any = solve(only)
        if adjust is not None:
            volume = adjust(response.to_lines(volume))
        varieties = np.stack([volume.value, volume.quantity_hat, volume.creation, volume.diversion])
        owned = [per_product(getattr(volume, name), v.product, len(only.sigma)) for name in PRODUCT_SUMS]

        def add_lines(rows: I64, keep: Bools, out: F64) -> None:
            sum_lines(rows, keep, of_line, lines, varieties, out)

        growth = one_cell, lines, volume.value[of_line], as_is
        return _DrawnTrade(add_lines, np.stack(owned)[:, :, None], growth)

    return trade
