"""Merge products that only their nest moves: a nest shifts the demand for all its products by one factor.

So these products enter the sums as one product of each nest and owner, at their response by themselves.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tariffs.engine.base.array_utils import F64, I64, Bools, ratio, sums_of
from tariffs.engine.response.lanes.lane_fixed import FixedState, LaneStart
from tariffs.engine.response.lanes.sweep_inputs import SweepVarieties
from tariffs.engine.response.sectors.lane_market import Nests


@dataclass(frozen=True)
class StillTrade:
    """Trade of a part of a sweep with still products merged, and its state.

    Attributes:
        varieties, start, state: the trade; its products are those of the part.
        place: product of the trade that each product of the sweep is or belongs to, -1 for one of another part.
        creation: by group, the creation of still products by themselves, USD.
        revenue: by owner, what the trade has more than the sweep in duty at the baseline, USD.
    """

    varieties: SweepVarieties
    start: LaneStart
    state: FixedState
    place: I64
    creation: F64
    revenue: F64

    @classmethod
    def of(
        cls, v: SweepVarieties, market: Nests, moving: Bools, still: Bools, start: LaneStart, state: FixedState
    ) -> StillTrade:  # fmt: skip
        """Merge still products, whose hats by themselves are those of the start."""
        place, merged = np.where(moving, np.cumsum(moving) - 1, -1), np.flatnonzero(still)
        owners = int(v.product_group.max(initial=-1)) + 1
        keys = market.nest[merged] * owners + v.product_group[merged]
        _, first, number = np.unique(keys, return_index=True, return_inverse=True)
        place[merged] = int(moving.sum()) + number
        products = np.concatenate([np.flatnonzero(moving), merged[first]])
        lines = np.flatnonzero(still[v.product])
        # Rows of one product, group and group of values are merged where they follow each other.
        by = [v.value_group[lines]] if v.value_group.size else []
        lines = np.concatenate(
            [np.flatnonzero(moving[v.product]), lines[np.lexsort([*by, place[v.product[lines]]])]]
        )
        of, count = v.product[lines], v.kind.size
        after, before = (sums_of(v.product, each, count) for each in (v.v0 * start.hats[1], v.v0))
        # A still product has its quantity after its own response, of which the nest moves the whole.
        growth = np.where(still, ratio(after, before, 1.0), 1.0)[of]
        more = v.v0[lines] * (growth - 1.0)
        trade = replace(
            v,
            product=place[of],
            v0=v.v0[lines] * growth,
            charges=v.charges[lines] * growth,
            **{name: getattr(v, name)[lines] for name in ("base", "kept", "rate_class", "group")},
            **{name: getattr(v, name)[products] for name in ("kind", "product_group", "domestic")},
            value_group=v.value_group[lines] if v.value_group.size else v.value_group,
        )
        opening = LaneStart(
            start.hats[:, lines] / growth,
            start.share[lines],
            *(each[products] for each in (start.landed, start.surplus, start.price)),
        )
        closing = FixedState(
            state.varieties[lines],
            state.rate[lines],
            state.hats[:, lines],
            state.change[:, products],
            state.total[:, products],
        )
        creation = sums_of(trade.group, more, int(v.group.max(initial=-1)) + 1)
        revenue = sums_of(v.product_group[of], more * trade.base, owners)
        return cls(trade, opening, closing, place, creation, revenue)
