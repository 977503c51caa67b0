"""Compose steps of duty that are the same in all lanes, before the lane kernel takes the others.

A nest shifts the demand for all its products by one factor, so that products that only their nest moves enter the
lanes as one product of each nest and owner, at their response by themselves.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tariffs.engine.base.array_utils import F64, I64, Bools, ratio, sums_of
from tariffs.engine.response.lanes.lane_rates import RatePaths
from tariffs.engine.response.lanes.lane_table import SweptTrade

_REFRESH_BELOW = -0.5
# Relative fall of a sum of weights from which on its log keeps more digits than that of one plus the growth.


@dataclass(frozen=True)
class FixedState:
    """Varieties whose rates no lane moves after some steps, without the factors of their products.

    Attributes:
        varieties: marks the varieties.
        rate: per variety, after the last step.
        hats: value and quantity (2 x varieties).
        change, total: (steps x products) what the varieties add to the sum of weights of their product by a step, over
            the power, and what they have in it after the step.
    """

    varieties: Bools
    rate: F64
    hats: F64
    change: F64
    total: F64


@dataclass(frozen=True)
class LaneStart:
    """State before the first step that some lane moves.

    Attributes:
        hats: value and quantity per variety (2 x varieties).
        share: share of each variety in the landed cost of its product.
        landed, surplus, price: landed cost, surplus of buyers so far, and log price of imports, per product.
    """

    hats: F64
    share: F64
    landed: F64
    surplus: F64
    price: F64


def compose(
    swept: SweptTrade, marks: Bools, paths: RatePaths, days: slice, share: F64, terms: F64
) -> FixedState:
    """Compose the steps of marked varieties on some days.

    Args:
        marks: the varieties, whose rates no lane moves on these days.
        share: share of each variety in the landed cost of its product before the first of the days.
        terms: of the kinds by day (kinds x days x terms); see `kernels.lane_terms`.
    """
    from tariffs.engine.response.kernels.exp_log import LANES as L
    from tariffs.engine.response.kernels.lane_terms import INVERSE_POWER, IS_GEOMETRIC, LOST, ONE_W, POWER

    trade, kind = swept.table.trade, swept.kind
    products, steps = trade.products, days.stop - days.start
    lines = np.flatnonzero(marks & (swept.table.landed > 0.0)[trade.product])
    used, place = np.unique(swept.path[lines], return_inverse=True)
    changes = paths.changes(used, days.start, days.stop)
    row, source = changes.of(place)
    step, log = changes.step[source], paths.logs(changes)[source]
    order = np.argsort(step, kind="stable")
    ends = np.searchsorted(step[order], np.arange(steps + 1))
    product, weight, logs = trade.product[lines], share[lines].copy(), np.zeros((2, lines.size))
    change, total = np.zeros((2, steps, products))
    sum_of_weights = sums_of(product, weight, products)
    for j in range(steps):
        own = order[ends[j] : ends[j + 1]]
        if own.size:
            i, power = row[own], log[own]
            term = terms[kind[product[i]], days.start + j].T
            growth = (
                np.expm1(term[POWER // L] * power) * term[INVERSE_POWER // L]
                + term[IS_GEOMETRIC // L] * power
            )
            change[j] = sums_of(product[i], weight[i] * growth, products)
            weight[i] *= np.exp(term[POWER // L] * power)
            lost = term[LOST // L] * power
            logs[0, i] -= term[ONE_W // L] * lost
            logs[1, i] -= lost
            sum_of_weights = sums_of(product, weight, products)
        total[j] = sum_of_weights
    hats = np.ones((2, trade.v0.size))
    # High elasticities may leave the range of numbers; their lanes are solved in another way.
    with np.errstate(over="ignore"):
        hats[:, lines] = np.exp(logs)
    hats[~np.isfinite(hats)] = 0.0
    return FixedState(marks, paths.known[paths.form[swept.path, days.stop]], hats, change, total)


def start_of(swept: SweptTrade, paths: RatePaths, days: int, terms: F64) -> LaneStart:
    """Compose the first days, by the end of which no lane moves a path."""
    from tariffs.engine.response.kernels.exp_log import LANES as L
    from tariffs.engine.response.kernels.lane_terms import (
        INVERSE_POWER,
        INVERSE_S,
        IS_GEOMETRIC,
        IS_LOG,
        ONE_W,
        POWER,
        S_POWER,
        SCALE,
        SHIFT,
    )

    trade, kind, landed = swept.table.trade, swept.kind, swept.table.landed.copy()
    surplus, prices = np.zeros((2, kind.size))
    share = ratio(trade.v0 * (1.0 + trade.t0), landed[trade.product], 0.0)
    hats = np.ones((2, trade.v0.size))
    if not days:
        return LaneStart(hats, share, landed, surplus, prices)
    state = compose(swept, np.ones(trade.v0.size, dtype=bool), paths, slice(0, days), share, terms)
    logs, whole = np.zeros((2, kind.size)), np.ones(kind.size)
    for j in range(days):
        k = np.flatnonzero(state.change[j])
        term = terms[kind[k], j].T
        mean, after = state.change[j, k] / whole[k], state.total[j, k] / whole[k]
        growth = term[POWER // L] * mean
        log = np.where(growth > _REFRESH_BELOW, np.log1p(np.maximum(growth, _REFRESH_BELOW)), np.log(after))
        price = (log * term[INVERSE_POWER // L] + term[IS_GEOMETRIC // L] * mean) * term[SCALE // L]
        gain, more = term[SHIFT // L] * price, np.expm1(term[S_POWER // L] * price)
        logs[:, k] += np.stack([term[ONE_W // L] * gain, gain])
        surplus[k] -= landed[k] * (more * term[INVERSE_S // L] + term[IS_LOG // L] * price)
        landed[k] *= 1.0 + more
        prices[k] += price
        whole[k] = state.total[j, k]
    hats = state.hats * np.exp(logs)[:, trade.product]
    spent = hats[0] * trade.v0 * (1.0 + paths.known[paths.form[swept.path, days]])
    share = ratio(spent, sums_of(trade.product, spent, kind.size)[trade.product], 0.0)
    return LaneStart(hats, share, landed, surplus, prices)


@dataclass(frozen=True)
class FixedRows:
    """Rows of varieties whose rates no lane moves, and the sums of their products, as of `LanePack`."""

    product: I64
    group: I64
    weight: F64
    values: I64
    sums: F64

    @classmethod
    def of(cls, swept: SweptTrade, marks: Bools, hats: F64, rate: F64) -> FixedRows:
        """Make the rows of marked varieties, given hats of value and quantity and the last rate of all."""
        lines, table = np.flatnonzero(marks), swept.table
        product, quantity = table.trade.product[lines], hats[1, lines]
        weight = table.weighted(lines, swept.kept[lines], hats[0, lines], quantity)
        # Columns of duty, and of the tax on it.
        weight[:, 1::6] *= rate[lines, None]
        own = table.trade.v0[lines] * quantity, weight[:, 1]
        sums = np.column_stack([sums_of(product, each, table.trade.products) for each in own])
        values = swept.values
        return cls(
            product,
            table.groups.of_variety[lines],
            weight,
            lines[:0] if values is None else values[lines],
            sums,
        )

    def __add__(self, other: FixedRows) -> FixedRows:
        """Join rows of other products, which follow."""
        ours, theirs = vars(self), vars(other) | {"product": other.product + len(self.sums)}
        return FixedRows(**{name: np.concatenate([ours[name], theirs[name]]) for name in ours})

    def merged(self, bundle: I64) -> tuple[FixedRows, I64]:
        """Merge rows of one product, group and group of values; return them, and the bundle of each, ascending.

        Args:
            bundle: of each product.
        """
        order = np.lexsort((self.group, bundle[self.product]))
        keys = [bundle[self.product], self.group, self.product, *([self.values] if self.values.size else [])]
        new = np.ones(order.size, dtype=bool)
        new[1:] = np.any([np.diff(each[order]) != 0 for each in keys], axis=0)
        number, first = np.cumsum(new) - 1, order[new]
        weight = np.column_stack([sums_of(number, column, first.size) for column in self.weight[order].T])
        values = self.values[first] if self.values.size else self.values
        rows = FixedRows(self.product[first], self.group[first], weight, values, self.sums)
        return rows, bundle[rows.product]


@dataclass(frozen=True)
class StillProducts:
    """Products that only their nest moves, merged by nest and owner.

    Attributes:
        place: merged product of each.
        rows: their rows by merged product, at their response by themselves.
        owner: of each merged product.
        revenue: duty at the baseline of each, USD.
        creation: by group, the creation of the products by themselves, USD.
    """

    place: I64
    rows: FixedRows
    owner: I64
    revenue: F64
    creation: F64

    @classmethod
    def of(cls, swept: SweptTrade, nest: I64, end: LaneStart, rate: F64) -> StillProducts:
        """Merge products, given their nests, their state after the last day, and the rate of each variety then."""
        table, groups = swept.table, swept.table.groups
        keys = nest * groups.products + groups.of_product
        _, first, place = np.unique(keys, return_index=True, return_inverse=True)
        rows = FixedRows.of(swept, np.ones(rate.size, dtype=bool), end.hats, rate)
        # A product has its quantity after its own response, of which the nest moves the whole.
        growth = ratio(rows.sums[:, 0], table.before, 1.0)[rows.product]
        creation = sums_of(rows.group, table.trade.v0 * (growth - 1.0), groups.varieties)
        rows.weight[:, 3] *= growth
        sums = np.column_stack([sums_of(place, column, first.size) for column in rows.sums.T])
        # Rows are merged where they follow each other.
        by = [rows.values] if rows.values.size else []
        order = np.lexsort([*by, place[rows.product]])
        moved = {name: getattr(rows, name)[order] for name in ("group", "weight")}
        values = rows.values[order] if rows.values.size else rows.values
        rows = FixedRows(product=place[rows.product][order], values=values, sums=sums, **moved)
        revenue = sums_of(place, table.revenue, first.size)
        return cls(place, rows, groups.of_product[first], revenue, creation)
