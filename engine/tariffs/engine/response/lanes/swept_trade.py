"""Trade whose rates differ by lane."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tariffs.engine.base.array_utils import F64, I64, Bools
from tariffs.engine.response.lanes.adjustment import PathTrade
from tariffs.engine.response.lanes.lane_table import LaneTable
from tariffs.engine.response.sectors.lane_market import Nests


@dataclass(frozen=True, eq=False)
class SweptTrade:
    """Trade whose rates differ by lane, and that is summed by group.

    A path is that of varieties with one rate in each lane on every day, a kind is of products with one set of
    elasticities in each lane. Both are numbered from 0.

    Attributes:
        table: the trade.
        path: per variety.
        kind: per product.
        kept: share of each variety that counts in the sums after the response.
        values: per variety; customs value is summed by these groups as well; None without such sums.
        market: market of sectors above the products, which are then without domestic goods of their own.
    """

    table: LaneTable
    path: I64
    kind: I64
    kept: F64
    values: I64 | None = None
    market: Nests | None = None

    def of(self, chosen: Bools) -> SweptTrade:
        """Take the chosen products, without the market above them."""
        table, groups, place = self.table, self.table.groups, np.cumsum(chosen) - 1
        lines, product = np.flatnonzero(chosen[table.trade.product]), table.trade.product
        trade = PathTrade.of(
            place[product[lines]], table.trade.v0[lines], table.trade.t0[lines], int(chosen.sum())
        )
        groups = replace(groups, of_variety=groups.of_variety[lines], of_product=groups.of_product[chosen])
        vat = None if table.vat is None else table.vat[lines]
        part = LaneTable(
            trade, groups, table.charges[lines], vat, table.domestic[chosen], table.kappa[chosen]
        )
        values = None if self.values is None else self.values[lines]
        return SweptTrade(part, self.path[lines], self.kind[chosen], self.kept[lines], values)
