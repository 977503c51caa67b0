"""Arrange trade for the lane kernel: what no law and no elasticity changes. See `kernels.lanes`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from tariffs.engine.base.array_utils import F64, I64, Bools, sums_of
from tariffs.engine.base.bounded_cache import BoundedCache, brief
from tariffs.engine.response.lanes.adjustment import PathTrade
from tariffs.engine.response.lanes.lane_sections import LaneLayout, LaneSection, cut_sections, lane_pack
from tariffs.engine.response.sectors.lane_market import Nests

if TYPE_CHECKING:
    from tariffs.engine.response.kernels.lane_terms import LanePack


CHUNK_VARIETIES = 1_024
"""Varieties of a chunk of products."""
_NOTHING = np.zeros(0)
_TABLES_KEPT = 2


@dataclass(frozen=True, eq=False)
class LaneGroups:
    """Groups that trade is summed by.

    Attributes:
        of_variety: group of each variety, negative for none.
        of_product: group of each product, for surplus and welfare.
        varieties, products: number of groups of varieties, and of products.
    """

    of_variety: I64
    of_product: I64
    varieties: int
    products: int

    @classmethod
    def of_products(cls, varieties: int, products: int) -> LaneGroups:
        """Sum surplus and welfare of each product, and nothing else."""
        return cls(np.full(varieties, -1), np.arange(products), 0, products)


@dataclass(frozen=True, eq=False)
class LaneTable:
    """Trade arranged for the lanes of any law: what no law and no elasticity changes.

    Attributes:
        trade: varieties by product.
        groups: groups that it is summed by.
        charges: cost that follows the quantity and enters no price, USD per variety.
        vat: value added tax per variety, a fraction; None without one.
        domestic: domestic shipments at the baseline per product, USD; their supply is flat.
        kappa: substitution between imports and domestic goods per product; NaN is eta.
    """

    trade: PathTrade
    groups: LaneGroups
    charges: F64
    vat: F64 | None
    domestic: F64
    kappa: F64

    def is_same(self, other: LaneTable) -> bool:
        """Test whether another table has the same trade and groups."""
        mine, theirs = self._arrays, other._arrays
        return all(a is b or np.array_equal(a, b, equal_nan=True) for a, b in zip(mine, theirs, strict=True))

    @property
    def _arrays(self) -> tuple[F64 | I64, ...]:
        vat = _NOTHING if self.vat is None else self.vat
        trade = self.trade
        return (
            self.groups.of_product, self.kappa, self.domestic, trade.offsets, self.groups.of_variety, trade.t0,
            trade.v0, self.charges, vat,
        )  # fmt: skip

    @cached_property
    def layout(self) -> LaneLayout:
        """Products in chunks."""
        return LaneLayout.of(self.trade.offsets, CHUNK_VARIETIES)

    @cached_property
    def before(self) -> F64:
        """Customs value at the baseline per product."""
        return sums_of(self.trade.product, self.trade.v0, self.trade.products)

    @cached_property
    def revenue(self) -> F64:
        """Duty at the baseline per product."""
        return sums_of(self.trade.product, self.trade.v0 * self.trade.t0, self.trade.products)

    @cached_property
    def landed(self) -> F64:
        """Landed cost at the baseline per product."""
        return self.before + self.revenue

    @cached_property
    def rows(self) -> slice | I64:
        """Varieties that are summed by group."""
        return (
            slice(None)
            if (self.groups.of_variety >= 0).all()
            else np.flatnonzero(self.groups.of_variety >= 0)
        )

    @cached_property
    def weights(self) -> F64:
        """Weights of the rows as in `LanePack`, if all trade counts."""
        v, charges = self.trade.v0[self.rows], self.charges[self.rows]
        columns = [v, v, charges, v, v, v * self.trade.t0[self.rows]]
        if self.vat is not None:
            tax = v * self.vat[self.rows]
            columns += [tax, tax]
        return np.column_stack(columns)

    @cached_property
    def base_sums(self) -> F64:
        """Sum the value at the baseline by group, in the order of the lanes: what does not move differs by nothing."""
        pack, sections = self.arranged
        total = np.zeros(self.groups.varieties)
        for section in sections:
            own = slice(*pack.moved_start[pack.bundle_chunks[[section.first, section.last]]])
            total[section.groups] += sums_of(
                pack.moved_group[own], pack.moved_weight[own, 3], section.groups.size
            )
        return total

    def weighted(
        self, rows: slice | I64, kept: F64, value: F64 | float = 1.0, quantity: F64 | float = 1.0
    ) -> F64:
        """Weights of some rows times their hats; of what does not count all but that of the creation are 0."""
        found = self.weights[rows] * kept[:, None]
        found[:, 3] = self.weights[rows, 3]
        for column, hat in enumerate(
            (value, value, quantity, 1.0, quantity, quantity, value, value)[: found.shape[1]]
        ):
            found[:, column] *= hat
        return found

    def kept_weights(self, kept: F64) -> F64:
        """Weights of all rows, of which these shares count."""
        found, rows = self.weights.copy(), np.flatnonzero(kept != 1.0)
        found[rows] = self.weighted(rows, kept[rows])
        return found

    @cached_property
    def of_products(self) -> dict[str, I64 | F64]:
        """Arrays of the products for `LanePack`, before a step."""
        return {
            "chunk_products": self.layout.chunk_products,
            "bundle_chunks": self.layout.bundle_chunks,
            "owner": self.groups.of_product,
            "landed": self.landed,
            "surplus": np.zeros(self.trade.products),
            "before": self.before,
            "revenue": self.revenue,
            "domestic": self.domestic,
            "kappa": self.kappa,
            "sums": np.zeros((self.trade.products, 2)),
        }

    @cached_property
    def arranged(self) -> tuple[LanePack, list[LaneSection]]:
        """Pack without the arrays of a law, and its sections."""
        trade, layout = self.trade, self.layout
        rows = np.arange(trade.v0.size)[self.rows]
        pack = lane_pack(
            self.of_products
            | {
                "moved_start": np.searchsorted(rows, trade.offsets[layout.chunk_products]),
                "moved_product": trade.product[rows],
                "moved_group": self.groups.of_variety[rows],
                "moved_weight": self.weights,
                "fixed_start": np.zeros_like(layout.bundle_chunks),
            }
        )
        return cut_sections(pack)


def kept_table(found: LaneTable, cache: dict[str, Any]) -> LaneTable:
    """Give the table of the same trade and groups that a cache keeps, or keep this one."""
    kept: BoundedCache[tuple[int, int], LaneTable]
    kept = cache.setdefault("lane tables", brief(BoundedCache(_TABLES_KEPT)))
    key = found.groups.varieties, found.groups.products
    other = kept.find(key)
    if other is not None and other.is_same(found):
        return other
    kept.keep(key, found)
    return found


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
