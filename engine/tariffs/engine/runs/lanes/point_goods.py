"""Domestic goods at points of a sweep under a market of sectors, by group of whole products and in total."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tariffs.engine.base.array_utils import F64, I64, ratio, sums_of
from tariffs.engine.base.ordered_sums import sum_by_group
from tariffs.engine.response.lanes.sweep_inputs import SweepTrade
from tariffs.engine.runs.column_names import DOMESTIC_SUMS


@dataclass(frozen=True)
class GoodsSums:
    """Sums of domestic goods, DOMESTIC_SUMS: `groups` (points x groups), and `total` of the whole table (points)."""

    groups: dict[str, F64]
    total: dict[str, F64]


class PointGoods:
    """Domestic goods at points; empty without a market of sectors.

    Args:
        trade: trade of the sweep.
        groups: number of groups.
    """

    def __init__(self, trade: SweepTrade, groups: int) -> None:
        self._groups, market = groups, trade.market
        if market is None:
            nothing = np.zeros(0, dtype=np.int64)
            self._group, self._nest, self._shipments, self._part = nothing, nothing, np.zeros(0), np.zeros(0)
            return
        count, inside = market.top.size, np.flatnonzero(market.nest >= 0)
        nest, goods = market.nest[inside], market.goods[inside]
        pairs, place = np.unique(np.asarray(trade.product_group)[inside] * count + nest, return_inverse=True)
        self._group, self._nest = pairs // count, pairs % count
        self._shipments = sums_of(place, goods, pairs.size)
        self._part = ratio(self._shipments, sums_of(nest, goods, count)[self._nest], 0.0)

    def __call__(self, domestic: F64) -> GoodsSums:
        """Compute the sums.

        Args:
            domestic: (nests, 3, points) price and quantity hats and gain of producers.
        """
        if not self._nest.size:
            return GoodsSums({}, {})
        price, quantity, gain = np.moveaxis(domestic[self._nest], 1, 0)
        shipments = np.broadcast_to(self._shipments[:, None], price.shape)
        rows = (shipments, shipments * price, shipments * quantity, self._part[:, None] * gain)
        whole = _by_group(rows, np.zeros_like(self._group), 1)
        return GoodsSums(
            _by_group(rows, self._group, self._groups), {name: values[:, 0] for name, values in whole.items()}
        )


def _by_group(rows: Sequence[F64], group: I64, count: int) -> dict[str, F64]:
    """Sum amounts of pairs of group and nest by group: (points, groups) of each sum."""
    sums = np.zeros((len(rows), count, rows[0].shape[1]))
    for values, out in zip(rows, sums, strict=True):
        sum_by_group(group, np.ascontiguousarray(values), out)
    return dict(zip(DOMESTIC_SUMS, np.moveaxis(sums, 2, 1), strict=True))
