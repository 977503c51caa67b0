"""Compute trade after the response, from the duties of a law to varieties and back to lines.

A variety is an atom of a line: goods of one product and origin with one rate. Results of a line are sums over its
varieties.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tariffs.engine.base.array_utils import F64, I64, Bools, ratio, sums_of
from tariffs.engine.base.chunks import thread_count
from tariffs.engine.response.constants import constant
from tariffs.engine.response.elasticities.parameters import ProductParameters
from tariffs.engine.response.exchange_rate import NO_OFFSET, DollarPrices
from tariffs.engine.response.lanes.adjustment import DutyPath, LawDuty, PathTrade
from tariffs.engine.response.lanes.lane_table import LaneGroups, LaneTable, kept_table
from tariffs.engine.response.lanes.law_lanes import LawLanes
from tariffs.engine.response.models.gsim import gsim_imports
from tariffs.engine.response.models.passthrough_smart import passthrough, smart
from tariffs.engine.response.sectors.sector_market import SectorMarket
from tariffs.engine.response.trade.varieties import TradeVolume, Varieties, VarietyRates, VarietyVolume
from tariffs.engine.table_duty.duties import Duties
from tariffs.engine.tables.prepare import PreparedTable

ARMINGTON, EXACT_HAT, WORLD = "armington", "exact_hat", "world"
LASTING_MODELS = frozenset({EXACT_HAT, WORLD})
"""Models whose trade elasticity is of duties that last."""
PROHIBITIVE = constant("prohibitive")
"""Rate at which trade in a variety vanishes, as a fraction."""


VolumeSolver = Callable[[ProductParameters], VarietyVolume]


@dataclass(frozen=True)
class Response:
    """Response of a table from its baseline.

    `base_rate` is the rate of each variety at the baseline, `parameters` are per product of the table; `market` puts
    sectors above Armington's products, and `fx_offset` moves the dollar with the duties. `prohibition` has the least
    elasticities under a prohibition, where those of the horizon are lower.
    """

    table: PreparedTable
    varieties: Varieties
    base_rate: F64
    model: str
    parameters: ProductParameters
    market: SectorMarket | None = None
    fx_offset: float = NO_OFFSET
    prohibition: ProductParameters | None = None

    def rates_under(self, duties: Duties) -> VarietyRates:
        """Compute the rates of the varieties under a scenario's duties."""
        return VarietyRates(duties, self.varieties)

    def responding_rate(self, rates: VarietyRates) -> F64:
        """Rate that each variety responds to.

        Armington demand treats a prohibited variety as one at a prohibitive rate. The other models cannot, so it keeps
        its baseline rate: with thetas always, else if its line has no rest, as which it responds.
        """
        prohibited = rates.prohibited
        if not prohibited.any():
            return rates.rate
        if self.model == ARMINGTON:
            return np.where(prohibited, PROHIBITIVE, rates.rate)
        if self.model in LASTING_MODELS:
            return np.where(prohibited, self.base_rate, rates.rate)
        v = self.varieties
        entering = np.where(prohibited, 0.0, v.value)
        rest = ratio(v.to_lines(entering * rates.rate), v.to_lines(entering))[v.line]
        return np.where(prohibited, np.where(np.isnan(rest), self.base_rate, rest), rates.rate)

    @property
    def has_own_rates(self) -> bool:
        """True if goods respond to no duty on others but through demand: the exchange rate stays."""
        return self.fx_offset == NO_OFFSET

    def dollar_prices(self, rates: VarietyRates) -> DollarPrices | None:
        """Exporters' prices in dollars under a scenario's rates; None if the exchange rate stays."""
        if self.has_own_rates:
            return None
        value = self.varieties.value
        return DollarPrices.of(self.fx_offset, value, self.base_rate, rates.rate, rates.prohibited)

    def solver(self, rates: VarietyRates) -> VolumeSolver:
        """Make a function of the parameters that gives the model's result per variety under a scenario's rates."""
        rate, dollar = self.responding_rate(rates), self.dollar_prices(rates)
        if dollar is None:
            return self.duty_solver(rate, rates)
        moved = dollar.responding(rate)
        solve, product = self.with_last_step(rate, moved).duty_solver(moved, rates), self.varieties.product
        return lambda p: dollar.on_volume(solve(p), product)

    def sum_solver(
        self, table: LaneTable, rates: VarietyRates, threads: int, values: I64 | None = None
    ) -> LawLanes:
        """Make the solver of sums of Armington demand under rates; `values` groups varieties for sums of values."""
        rate, dollar = self.responding_rate(rates), self.dollar_prices(rates)
        charged, kept = rate, None
        if rates.prohibited.any():
            charged, kept = rates.rate, (~rates.prohibited).astype(np.float64)
        owed = None if rates.owes_all else rates.owed_rate
        response, moved, price = self, rate, None
        if dollar is not None:
            moved, price = dollar.responding(rate), dollar.factor
            response = self.with_last_step(rate, moved)
        duty = LawDuty(response.path_to(moved), charged, moved, kept, price, owed, values)
        return LawLanes(table, duty, self.market_of_lanes, threads)

    def lane_table(self, groups: LaneGroups, vat: F64 | None = None) -> LaneTable:
        """Arrange the trade for sums of Armington demand; `vat` is that of each variety, a fraction."""
        v, p = self.varieties, self.parameters
        domestic = np.zeros(len(p.sigma))
        # Under a market of sectors domestic goods are those of the sectors.
        if self.market is None and p.domestic_ratio.any():
            domestic = domestic_shipments(v.product, v.value, self.base_rate, p)
        found = LaneTable(self.trade, groups, v.charges, vat, domestic, p.kappa)
        return kept_table(found, self.table.lines.cache)

    @property
    def trade(self) -> PathTrade:
        """Trade at the baseline."""
        v = self.varieties
        return PathTrade(v.offsets, v.product, v.value, self.base_rate)

    @property
    def market_of_lanes(self) -> SectorMarket | None:
        """Market of sectors above the products, if there is one, with the parameters of the run."""
        return None if self.market is None else replace(self.market, central=self.parameters)

    def path_to(self, rate: F64) -> DutyPath:
        """Steps of duty to one rate of each variety, and their elasticities."""
        prohibited, least = rate == PROHIBITIVE, self.prohibition
        if least is None or self.market is not None or not prohibited.any():
            return DutyPath.at_once(self.base_rate, rate)
        return DutyPath.with_prohibitions(self.base_rate, rate, prohibited, least.columns[0])

    def with_last_step(self, before: F64, after: F64) -> Response:
        """Add a change of all rates to those that a response composes; one that takes the whole change has none."""
        return self

    def duty_solver(self, rate: F64, rates: VarietyRates) -> VolumeSolver:
        """Make the solver of the model for the rate that varieties respond to."""
        v = self.varieties
        if self.model != ARMINGTON:
            return lambda p: _volume(v, ONE_STEP[self.model](v, self.base_rate, rate, p))
        products, prohibited = len(self.parameters.sigma), np.flatnonzero(rates.prohibited)
        table = self.lane_table(LaneGroups.of_products(v.count, products))
        solve = LawLanes(table, LawDuty(self.path_to(rate), rate, rate), self.market_of_lanes, thread_count())

        def run(p: ProductParameters) -> VarietyVolume:
            hats = np.empty((solve.parts, 2, 1)), np.empty((products, 1))
            sums = solve([p], hats=hats)
            price, quantity = hats[0][solve.part_of, :, 0].T
            value, creation = v.value * price, v.value * (hats[1][v.product, 0] - 1.0)
            diversion = v.value * quantity - v.value - creation
            domestic = None
            if self.market is not None and sums.nests is not None:
                (domestic,) = self.market.domestic(table.before, sums.nests)
            surplus, welfare = np.ascontiguousarray(sums.owned[:, :, 0].T)
            if len(prohibited):
                # Nobody pays the duty on what the model leaves of prohibited varieties.
                unpaid = PROHIBITIVE * value[prohibited]
                welfare = welfare - sums_of(v.product[prohibited], unpaid, products)
            return VarietyVolume(value, quantity, creation, diversion, surplus, welfare, domestic)

        return run

    def prohibits_whole(self, rates: VarietyRates) -> bool:
        """True if nothing is prohibited but whole varieties, which Armington demand answers."""
        if rates.prohibited_share is None:
            return True
        partly = (rates.prohibited_share > 0.0) & ~rates.prohibited & (self.varieties.value > 0.0)
        return self.model == ARMINGTON and not partly.any()

    def prohibits_apart(self, rates: VarietyRates) -> bool:
        """True if prohibitions respond after duties, at elasticities of their own."""
        return self.prohibition is not None and self.market is None and bool(rates.prohibited.any())

    def unbounded_loss(self, rates: VarietyRates) -> Bools:
        """Mark the products whose buyers lose more than any amount without what is prohibited."""
        v, p, prohibited = self.varieties, self.parameters, rates.prohibited
        if self.prohibition is not None and self.market is None:
            p = self.prohibition
        products = len(p.sigma)
        # Their loss is finite if they can substitute another variety or domestic goods, or demand is elastic.
        others = products_of(v, ~prohibited & (v.value > 0.0), products) & (p.sigma > 1.0)
        is_finite = others | (p.eta > 1.0) | ((p.domestic_ratio > 0.0) & (p.kappa > 1.0))
        return products_of(v, prohibited, products) & ~is_finite

    def to_lines(self, volume: VarietyVolume, rates: VarietyRates) -> TradeVolume:
        """Sum the varieties by line, without what is prohibited."""
        v, volume = self.varieties, self._without_prohibited(volume, rates)
        duty = v.to_lines(volume.value * rates.rate)
        per_line: dict[str, Any] = {
            "value": v.to_lines(volume.value),
            "quantity_hat": v.to_lines(v.share * volume.quantity_hat),
            "creation": v.to_lines(volume.creation),
            "diversion": v.to_lines(volume.diversion),
            "rents": volume.rents and volume.rents.summed(v.to_lines),
        }
        return TradeVolume(
            **{**vars(volume), **per_line},
            duty=duty,
            owed=duty if rates.owes_all else v.to_lines(volume.value * rates.owed_rate),
            base_duty=v.to_lines(v.value * volume.quantity_hat * self.base_rate),
            product_of_line=self.table.product_of_line,
            value_of_varieties=volume.value,
        )

    def _without_prohibited(self, volume: VarietyVolume, rates: VarietyRates) -> VarietyVolume:
        """Remove what may not be imported from a volume.

        For a variety that is prohibited as a whole, CES demand gives the effect on the others and on buyers, as
        long as their loss is finite. Everything else is cut at the prices of the model; its surplus is unknown.
        """
        if rates.prohibited_share is None:
            return volume
        v, prohibited, products = self.varieties, rates.prohibited, len(self.parameters.sigma)
        # These models give what becomes of the others where a whole variety is prohibited.
        answered = prohibited & (self.model in {ARMINGTON, EXACT_HAT})
        cut = (rates.prohibited_share > 0.0) & ~answered & (v.value > 0.0)
        left = np.where(prohibited, 0.0, 1.0 - rates.prohibited_share)
        unknown = products_of(v, cut, products)
        unknown |= self.unbounded_loss(rates)
        return volume.times(left, cut, unknown)


def domestic_shipments(product: I64, v0: F64, t0: F64, p: ProductParameters) -> F64:
    """Compute domestic shipments of each product at the baseline, USD, from their ratio to landed imports."""
    return p.domestic_ratio * sums_of(product, v0 * (1.0 + t0), len(p.sigma))


def _passthrough(v: Varieties, t0: F64, t1: F64, p: ProductParameters) -> Any:
    return passthrough(v.value, t0, t1, p.eta[v.product], supply=p.supply[v.product])


def _smart(v: Varieties, t0: F64, t1: F64, p: ProductParameters) -> Any:
    elasticities = -p.eta[v.traded], p.sigma[v.traded]
    return smart(v.product, v.value, t0, t1, *elasticities, supply=p.supply[v.product])


def _gsim(v: Varieties, t0: F64, t1: F64, p: ProductParameters) -> Any:
    elasticities = -p.eta[v.traded], p.sigma[v.traded]
    return gsim_imports(v.product, v.value, t0, t1, *elasticities, supply=p.supply[v.traded])


ONE_STEP = {"passthrough": _passthrough, "smart": _smart, "gsim": _gsim}
"""Models that take the whole change of duty at once: varieties, rates of both laws and elasticities in, a
`LineResponse` over the varieties out. Their titles and limits are in `MODELS`."""


def _volume(v: Varieties, result: Any) -> VarietyVolume:
    """Take a model's result, whose surplus and welfare are per variety, per product that has one, or unknown."""

    def owned(values: F64 | None) -> F64:
        products = len(v.offsets) - 1
        if values is None:
            return np.full(products, np.nan)
        place = v.product if len(values) == v.count else v.traded
        return sums_of(place, values, products)

    of_goods = result.value, result.quantity_hat, result.creation, result.diversion
    return VarietyVolume(*of_goods, owned(result.buyer_surplus), owned(result.welfare))


def products_of(varieties: Varieties, chosen: Bools, products: int) -> Bools:
    """Mark the products that have one of the chosen varieties."""
    has_chosen = np.zeros(products, dtype=bool)
    has_chosen[varieties.product[chosen]] = True
    return has_chosen
