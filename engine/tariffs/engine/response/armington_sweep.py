"""Armington response to many scenarios, several at a time, summed by group. See docs/models/armington.md."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from tariffs.engine.base.array_utils import Bools, sums_of
from tariffs.engine.base.workspace import Workspace, new_room
from tariffs.engine.errors import InputError
from tariffs.engine.response.armington import armington
from tariffs.engine.response.inputs import RATE, Floats, Ints, invalid, per_line
from tariffs.engine.response.nest_shift import PartNests, import_prices, without_market
from tariffs.engine.response.still_products import NestMembers, StillTrade
from tariffs.engine.response.sweep_inputs import (
    SweepElasticities,
    SweepMarket,
    SweepReference,
    SweepTrade,
    checked_marks,
    checked_trade,
    stacked_elasticities,
)
from tariffs.engine.response.sweep_pack import (
    ClosedForms,
    Section,
    Unmoved,
    elasticity_terms,
    hats_at_index_one,
    pack_products,
    steep_kinds,
)
from tariffs.engine.response.sweep_sums import SCENARIOS, BlockSums, SweepSums, padded, unbounded

if TYPE_CHECKING:
    from tariffs.engine.response.kernels.sweep_products import SweepPack


@dataclass(frozen=True, slots=True)
class _Part:
    """Some of the products, arranged for the kernels; `products` marks them."""

    products: Bools
    pack: SweepPack
    sections: Sequence[Section]
    nests: PartNests | None


class ArmingtonSweep:
    """Solver of many scenarios of the same trade, whose sums agree with those of `armington` to 1e-12.

    With a reference, only the varieties of moved classes are solved again, the other varieties of their products scale
    by a factor, and products without a moved variety are summed once. A scenario has the same bits in any block and on
    any number of threads; another reference changes the last bits.

    Args:
        trade: the varieties and products.
        reference: what no scenario moves; without it every rate and elasticity may move.

    Attributes:
        classes: rate classes that calls give rates for, ascending: the moved ones.

    Raises:
        InputError: PARAMETER_INVALID with the field at fault.
    """

    def __init__(self, trade: SweepTrade, reference: SweepReference | None = None) -> None:
        self._varieties = v = checked_trade(trade)
        self._closed = ClosedForms.of(v)
        self._room = Workspace()
        count = int(v.rate_class.max(initial=-1)) + 1
        self._kinds = int(v.kind.max(initial=-1)) + 1
        moved, rates = np.ones(count, dtype=bool), np.zeros(count)
        self._reference = None
        # Without a reference only products without trade are fixed, and these keep their trade at any elasticities.
        held = stacked_elasticities(SweepElasticities(1.0, 1.0), self._kinds, 1)
        if reference is not None:
            moved = checked_marks(reference.moved, count)
            rates = np.where(
                moved, 0.0, per_line("rates", np.where(moved, 0.0, reference.rates), count, RATE)
            )
            self._reference = held = stacked_elasticities(reference.elasticities, self._kinds, 1)
        self.classes: Ints = np.flatnonzero(moved)
        known = np.concatenate([v.base, rates[~moved], [0.0]])
        self._bounds = float(known.min()), float(known.max())
        self._rates = rates
        rates = rates[v.rate_class]
        unmoved = Unmoved(
            ~moved[v.rate_class] | (v.landed <= 0.0)[v.product],
            rates,
            np.where(moved, np.cumsum(moved) - 1, -1),
            hats_at_index_one(v, rates, held[0, :, 0], held[3, :, 0]),
        )
        touched = np.zeros(v.kind.size, dtype=bool)
        touched[v.product[~unmoved.varieties]] = True
        unmoved.hats[1:, ~unmoved.varieties] = 1.0
        self._before = sums_of(v.group, v.v0, int(v.group.max(initial=-1)) + 1)
        nothing = np.zeros((self.classes.size, 1))
        if v.market is None:
            self._moving = self._part(touched, unmoved)
            self._constant = self._sums(self._part(~touched, unmoved), nothing, held, 1).first
            return
        nest = v.market.nest
        still = (nest >= 0) & np.isin(nest, nest[touched]) & ~touched
        self._moving, merged = self._nested_part(v.market, touched, still, unmoved, held)
        rest, _ = self._nested_part(v.market, ~(touched | still), np.zeros_like(still), unmoved, held)
        self._constant = self._sums(rest, nothing, held, 1).first
        self._constant.lines[:, 3, 0] += merged.creation
        self._constant.owned[:, 1, 0] += merged.revenue

    def _part(self, chosen: Bools, unmoved: Unmoved) -> _Part:
        """Arrange products by themselves."""
        packed = pack_products(self._varieties, chosen, unmoved)
        return _Part(chosen, packed.pack, packed.sections, None)

    def _nested_part(
        self, market: SweepMarket, chosen: Bools, still: Bools, unmoved: Unmoved, elasticities: Floats
    ) -> tuple[_Part, StillTrade]:
        """Arrange products and their nests, to which products belong that no scenario moves."""
        v, price = self._varieties, np.full(self._varieties.kind.size, np.nan)
        alone = pack_products(v, still, unmoved)
        terms = elasticity_terms(padded(elasticities), np.zeros((self._kinds, SCENARIOS), dtype=bool))
        price[still] = import_prices(
            alone.pack, alone.sections, np.zeros((self.classes.size, SCENARIOS)), terms, map, new_room
        )[:, 0]
        trade = StillTrade.of(v, unmoved, chosen, still, price, elasticities)
        products = trade.varieties.kind.size
        members = NestMembers.of(market, v, chosen | still, trade.place, price)
        nests = PartNests.of(market, members, products, elasticities)
        packed = pack_products(trade.varieties, np.ones(products, dtype=bool), trade.unmoved)
        return _Part(chosen | still, packed.pack, packed.sections, nests), trade

    def __call__(self, rates: ArrayLike, elasticities: SweepElasticities, *, threads: int = 1) -> SweepSums:
        """Solve a block of scenarios.

        Args:
            rates: (classes, scenarios) rate of each of `classes` in at most `SCENARIOS` scenarios. A C-contiguous
                float64 array of exactly `SCENARIOS` is read in place.
            elasticities: of the scenarios; with a reference those of the reference.
            threads: threads to use.

        Raises:
            InputError: PARAMETER_INVALID: a rate or an elasticity out of range, or a scenario without finite answer.
        """
        block = np.asarray(rates, dtype=np.float64)
        if block.ndim != 2 or block.shape[0] != self.classes.size or not 1 <= block.shape[1] <= SCENARIOS:
            raise invalid(
                "rates",
                f"rates have shape {block.shape}.",
                fix=f"Give ({self.classes.size}, 1 to {SCENARIOS}).",
            )
        count = block.shape[1]
        held = stacked_elasticities(elasticities, self._kinds, count)
        if self._reference is not None and not (held == self._reference).all():
            raise invalid("elasticities", "the elasticities are not those of the reference.")
        sums = self._sums(self._moving, block, held, threads)
        sums.add(self._constant)
        return sums.answer(self._before, count)

    def _sums(self, part: _Part, rates: Floats, elasticities: Floats, threads: int) -> BlockSums:
        """Sum the products of a part."""
        from tariffs.engine.response.kernels.armington_sweep import rate_bounds, sweep_bundles

        count = rates.shape[1]
        rates, elasticities = padded(rates), padded(elasticities)
        low, high = np.full(SCENARIOS, self._bounds[0]), np.full(SCENARIOS, self._bounds[1])
        if not rate_bounds(rates, low, high):
            self._refuse(rates)
        steep = steep_kinds(elasticities, np.log1p(high) - np.log1p(low))
        terms = elasticity_terms(elasticities, steep)
        flat = not elasticities[3].any()
        places, unclosed = self._closed.unclosed(elasticities[3], steep)
        shift = without_market(part.pack.kind.size)
        place = np.full(part.products.size, -1)
        if part.nests is None:
            place[places] = np.arange(places.size)
            place = place[part.products]
        elif unclosed.any():
            raise unbounded(int(np.argmax(unclosed.any(axis=0))))

        def solve(section: Section, sums: Floats, owned: Floats, values: Floats) -> None:
            sweep_bundles(
                section.first,
                section.last,
                part.pack,
                rates,
                terms,
                place,
                unclosed,
                flat,
                shift.nest,
                shift.prices,
                shift.factors,
                shift.surplus,
                sums,
                owned,
                values,
            )

        total = BlockSums.empty(self._varieties, self._before.size, SCENARIOS)
        with ThreadPoolExecutor(threads) as pool:
            over = map if threads == 1 else pool.map
            if part.nests is not None:
                shift = part.nests(part.pack, part.sections, rates, elasticities, terms, over, self._room)
            total.add_sections(part.sections, solve, over)
        if flat:
            total.lines[:, 4] = total.lines[:, 0]
        left = part.products[places]
        total = replace(total, domestic=shift.domestic)
        self._add_singly(places[left], unclosed[left, :count], rates, elasticities, total)
        return total

    def _add_singly(
        self,
        places: Ints,
        unclosed: Bools,
        rates: Floats,
        elasticities: Floats,
        out: BlockSums,
    ) -> None:
        """Add the products at some places in the lanes where they have no closed form, each lane by `armington`."""
        v, classes = self._varieties, self._rates.copy()
        for lane in np.flatnonzero(unclosed.any(axis=0)).tolist():
            chosen = np.zeros(v.kind.size, dtype=bool)
            chosen[places[unclosed[:, lane]]] = True
            lines = np.flatnonzero(chosen[v.product])
            classes[self.classes] = rates[:, lane]
            sigma, eta, kappa, w = elasticities[:, v.kind, lane]
            with np.errstate(divide="ignore"):
                supply, supply_domestic = 1.0 / w, 1.0 / v.domestic_w[chosen]
            try:
                after = armington(
                    v.product[lines], v.v0[lines], v.base[lines], classes[v.rate_class[lines]], sigma[chosen],
                    eta[chosen], supply=supply[v.product[lines]], freight=v.freight[lines], kappa=kappa[chosen],
                    domestic=v.domestic[chosen], supply_domestic=supply_domestic,
                )  # fmt: skip
            except InputError as error:
                raise unbounded(int(lane)) from error
            quantity = v.v0[lines] * after.quantity_hat
            kept, charges = v.kept[lines], v.charges[lines] * after.quantity_hat
            columns = (
                after.value * kept,
                after.revenue * kept,
                charges * kept,
                after.creation,
                quantity * kept,
                quantity * kept * v.base[lines],
            )
            out.add_varieties(v, lines, columns, lane)
            # Nothing is paid on what is not kept.
            unpaid = sums_of(v.product[lines], after.revenue * (1.0 - kept), v.kind.size)[chosen]
            out.add_products(v, chosen, (after.buyer_surplus, after.welfare - unpaid), lane)

    def _refuse(self, rates: Floats) -> None:
        row, scenario = np.argwhere(RATE.broken(rates))[0]
        raise invalid(
            "rates",
            f"class {self.classes[row]}, scenario {scenario} of the block: the rate is {rates[row, scenario]:g}.",
            fix=f"It must be {RATE}.",
            scenario=scenario,
        )
