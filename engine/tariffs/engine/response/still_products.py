"""Products whose duty no scenario of a sweep moves, in nests of products whose duty some scenario moves.

A nest shifts the demand for all its products by one factor. So these products enter the sums as one product of each
nest and group of products, at their response without the shift, which is the same in all scenarios.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tariffs.engine.base.array_utils import Bools, ratio, sums_of
from tariffs.engine.response.inputs import Floats, Ints
from tariffs.engine.response.sweep_inputs import SweepMarket, SweepVarieties
from tariffs.engine.response.sweep_pack import Unmoved


@dataclass(frozen=True)
class NestMembers:
    """Products of the nests of a part of a sweep.

    Attributes:
        nest: nest of each member, as a number of the market.
        product: product of the part that each member is, or that stands for it.
        kind: kind of each member.
        landed, goods: landed imports and domestic goods of each member at the baseline, USD.
        price: log import price of each member by itself; NaN if some scenario moves it.
    """

    nest: Ints
    product: Ints
    kind: Ints
    landed: Floats
    goods: Floats
    price: Floats

    @classmethod
    def of(
        cls, market: SweepMarket, v: SweepVarieties, chosen: Bools, place: Ints, price: Floats
    ) -> NestMembers:
        """List the chosen products that are in a nest, given the place in the part and the price of all products."""
        inside = np.flatnonzero(chosen & (market.nest >= 0))
        return cls(
            market.nest[inside],
            place[inside],
            v.kind[inside],
            v.landed[inside],
            market.goods[inside],
            price[inside],
        )


@dataclass(frozen=True)
class StillTrade:
    """Trade of a part of a sweep, in which products of a nest and group that no scenario moves are one.

    Attributes:
        varieties, unmoved: the trade.
        place: per product of the sweep, its place among the products of the trade, -1 for one of another part.
        creation: by group, the creation of these products that no scenario moves, USD.
        revenue: by group of products, what the trade has more than the sweep in duty at the baseline, USD.
    """

    varieties: SweepVarieties
    unmoved: Unmoved
    place: Ints
    creation: Floats
    revenue: Floats

    @classmethod
    def of(
        cls,
        v: SweepVarieties,
        unmoved: Unmoved,
        moving: Bools,
        still: Bools,
        price: Floats,
        elasticities: Floats,
    ) -> StillTrade:
        """Merge products.

        Args:
            v: trade of the sweep, with a market.
            unmoved: its varieties that no scenario moves.
            moving: marks the products of the part that are not merged.
            still: marks the products to merge; none of their varieties moves.
            price: log import price of the products to merge by themselves.
            elasticities: of the kinds, (4, kinds, 1).
        """
        assert v.market is not None
        place, first = _numbered(v, v.market.nest, moving, still)
        lines = np.concatenate([np.flatnonzero(moving[v.product]), _sorted_lines(v, place, still)])
        product = v.product[lines]
        shift, growth = _alone(v, unmoved, still, price, elasticities)
        v0 = v.v0[lines] * growth[product]
        hats = unmoved.hats[:, lines] * np.stack([~still, shift[0] / growth, shift[1] / growth])[:, product]
        more = v0 - v.v0[lines]
        trade = replace(
            v,
            product=place[product],
            v0=v0,
            charges=v.charges[lines] * growth[product],
            **{name: getattr(v, name)[lines] for name in ("base", "freight", "kept", "rate_class", "group")},
            **{name: getattr(v, name)[first] for name in ("kind", "product_group", "domestic", "domestic_w")},
            value_group=v.value_group[lines] if v.value_group.size else v.value_group,
        )
        return cls(
            trade,
            Unmoved(unmoved.varieties[lines], unmoved.rates[lines], unmoved.row_of_class, hats),
            place,
            sums_of(trade.group, more, int(v.group.max(initial=-1)) + 1),
            sums_of(v.product_group[product], more * trade.base, int(v.product_group.max(initial=-1)) + 1),
        )


def _numbered(v: SweepVarieties, nest: Ints, moving: Bools, still: Bools) -> tuple[Ints, Ints]:
    """Number the products of a part, -1 elsewhere, and find the first product of each number."""
    place = np.where(moving, np.cumsum(moving) - 1, -1)
    merged = np.flatnonzero(still)
    keys = nest[merged] * (int(v.product_group.max(initial=0)) + 1) + v.product_group[merged]
    _, first, number = np.unique(keys, return_index=True, return_inverse=True)
    place[merged] = int(moving.sum()) + number
    return place, np.concatenate([np.flatnonzero(moving), merged[first]])


def _sorted_lines(v: SweepVarieties, place: Ints, still: Bools) -> Ints:
    """List the varieties of products to merge by place and value group, so that rows to merge follow each other."""
    lines = np.flatnonzero(still[v.product])
    keys = [place[v.product[lines]]]
    if v.value_group.size:
        keys.insert(0, v.value_group[lines])
    return lines[np.lexsort(keys)]


def _alone(
    v: SweepVarieties, unmoved: Unmoved, still: Bools, price: Floats, elasticities: Floats
) -> tuple[Floats, Floats]:
    """Compute the factors on value and quantity, and the growth of quantity, of still products; 1 for the others."""
    sigma, eta, _, w = elasticities[:, v.kind, 0]
    demand = np.where(still, (sigma - eta) / (1.0 + sigma * w) * np.where(still, price, 0.0), 0.0)
    shift = np.exp(np.stack([(1.0 + w) * demand, demand]))
    products = v.kind.size
    after = sums_of(v.product, v.v0 * unmoved.hats[2], products) * shift[1]
    return shift, np.where(still, ratio(after, sums_of(v.product, v.v0, products), 1.0), 1.0)
