"""Market of sectors above the products of a sweep, for many scenarios at once. See docs/models/market.md."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tariffs.engine.base.array_utils import Bools
from tariffs.engine.response.inputs import Floats, Ints
from tariffs.engine.response.sweep_inputs import SweepMarket, SweepVarieties
from tariffs.engine.response.sweep_pack import Section

if TYPE_CHECKING:
    from tariffs.engine.response.kernels.sector_sweep import NestPack
    from tariffs.engine.response.kernels.sweep_products import SweepPack

_PART_NESTS = 16


@dataclass(frozen=True)
class NestShift:
    """Factors and surplus that the market gives the products of a part of a sweep.

    Attributes:
        nest: nest of each product among those of the part, -1 for products by themselves.
        factors: (nests of the part, 2, lanes) on value and quantity.
        surplus: (products, 2, lanes) of buyers and domestic producers.
        domestic: (all nests, 3, lanes) price and quantity hats of domestic goods and gain of producers; 0 for nests
            that are not of the part.
    """

    nest: Ints
    factors: Floats
    surplus: Floats
    domestic: Floats


@dataclass(frozen=True)
class PartNests:
    """Nests of some products of a sweep, all of whose products are among them.

    Attributes:
        nest: place of the nest of each product among `ids`, -1 for products by themselves.
        ids: the nests, as numbers of the market.
        nests: number of nests of the market.
        pack: the nests for the kernels.
    """

    nest: Ints
    ids: Ints
    nests: int
    pack: NestPack

    @classmethod
    def of(cls, market: SweepMarket, v: SweepVarieties, chosen: Bools, elasticities: Floats) -> PartNests:
        """Arrange the nests of the chosen products; `elasticities` are those of the kinds, (4, kinds, 1)."""
        from tariffs.engine.response.kernels.sector_sweep import NestPack

        of_product, kind = market.nest[chosen], v.kind[chosen]
        inside = np.flatnonzero(of_product >= 0)
        order = inside[np.argsort(of_product[inside], kind="stable")]
        ids, first = np.unique(of_product[order], return_index=True)
        nest = np.full(of_product.size, -1)
        nest[inside] = np.searchsorted(ids, of_product[inside])
        leading = kind[order[first]]
        parameters = np.column_stack(
            [
                elasticities[1, leading, 0],
                market.kappa[ids],
                market.top[ids],
                1.0 / market.supply_domestic[ids],
                elasticities[3, leading, 0],
            ]
        )
        pack = NestPack(
            np.append(first, order.size).astype(np.int64),
            order.astype(np.int64),
            v.landed[chosen],
            market.goods[chosen],
            parameters,
        )
        return cls(nest.astype(np.int64), ids, market.kappa.size, pack)

    def __call__(
        self,
        pack: SweepPack,
        sections: Sequence[Section],
        rates: Floats,
        terms: Floats,
        over: Callable[..., object],
    ) -> NestShift:
        """Solve the nests of a part; `over` is `map`, or that of a pool of threads."""
        from tariffs.engine.response.kernels.exp_log import LANES
        from tariffs.engine.response.kernels.sector_sweep import index_bundles, nest_rows

        products, count = self.nest.size, self.ids.size
        prices = np.empty((products, LANES))
        factors, surplus = np.empty((count, 2, LANES)), np.empty((products, 2, LANES))
        domestic = np.empty((count, 3, LANES))

        def index(section: Section) -> None:
            index_bundles(section.first, section.last, pack, rates, terms, prices)

        def solve(first: int) -> None:
            last = min(first + _PART_NESTS, count)
            nest_rows(first, last, self.pack, prices, factors, domestic, surplus)

        for work, parts in ((index, sections), (solve, range(0, count, _PART_NESTS))):
            list(over(work, parts))  # type: ignore[call-overload]
        whole = np.zeros((self.nests, 3, LANES))
        whole[self.ids] = domestic
        return NestShift(self.nest, factors, surplus, whole)


def without_market(products: int) -> NestShift:
    """Make the shift of products that are all by themselves."""
    from tariffs.engine.response.kernels.exp_log import LANES

    return NestShift(
        np.full(products, -1), np.empty((0, 2, LANES)), np.empty((0, 2, LANES)), np.empty((0, 3, LANES))
    )
