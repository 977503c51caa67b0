"""Trade of varieties after the steps of one law, from the lane kernel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tariffs.engine.response.lanes.adjustment import DutyPath, HorizonElasticities, LawDuty, PathTrade
from tariffs.engine.response.lanes.lane_table import LaneGroups, LaneTable
from tariffs.engine.response.lanes.law_lanes import LawLanes


@dataclass(frozen=True)
class Columns:
    """Elasticities of products by horizon (horizons x 3 x products)."""

    columns: Any


def at_one_horizon(sigma: Any, eta: Any, supply: Any, products: int = 1) -> Columns:
    rows = (sigma, eta, 1.0 / np.asarray(supply, dtype=np.float64))
    return Columns(np.array([[np.broadcast_to(row, products) for row in rows]]))


def lane_volumes(
    trade: PathTrade,
    path: DutyPath,
    rate: Any,
    lanes: Sequence[HorizonElasticities],
    *,
    kappa: Any = None,
    domestic: Any = None,
    threads: int = 1,
) -> list[dict[str, Any]]:
    """Columns of `armington` for each lane, and the part of each variety."""
    products = trade.products
    kappa = np.full(products, np.nan) if kappa is None else kappa
    domestic = np.zeros(products) if domestic is None else domestic
    groups = LaneGroups(np.arange(trade.v0.size), np.arange(products), trade.v0.size, products)
    table = LaneTable(trade, groups, 0.0 * trade.v0, None, domestic, kappa)
    solve = LawLanes(table, LawDuty(path, rate, rate), threads=threads)
    hats = np.empty((solve.parts, 2, len(lanes))), np.empty((products, len(lanes)))
    sums, found = solve(lanes, hats=hats), []
    for lane in range(len(lanes)):
        value, quantity = trade.v0 * hats[0][solve.part_of, :, lane].T
        # Sums by variety are the varieties themselves.
        np.testing.assert_allclose(sums.lines[:, 0, lane], value, rtol=1e-13, atol=1e-300)
        creation = trade.v0 * (hats[1][trade.product, lane] - 1.0)
        found.append(
            {
                "value": value,
                "quantity_hat": hats[0][solve.part_of, 1, lane],
                "creation": creation,
                "diversion": quantity - trade.v0 - creation,
                "buyer_surplus": sums.owned[:, 0, lane],
                "welfare": sums.owned[:, 1, lane],
                "part": solve.part_of,
            }
        )
    return found
