"""Compute trade after the response, from duties per line to varieties and back.

A variety is a (product, origin); its rate is the value-weighted mean of its lines. Lines of a variety
share its price and quantity hats, and a line's duty after is its own rate on its value after.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tariffs.engine.base.array_utils import F64, I64, Bools, ratio, sums_of
from tariffs.engine.law.law import Law
from tariffs.engine.law.law_edits import Constraint
from tariffs.engine.law.quantity_rules import limits_at
from tariffs.engine.response import armington, armington_solver, gsim_imports, passthrough, smart
from tariffs.engine.response.parameters import ProductParameters
from tariffs.engine.response.sector_market import SECTOR, DomesticGoods, SectorMarket
from tariffs.engine.table_duty.duties import Dated, Duties
from tariffs.engine.tables.line_arrays import LineArrays
from tariffs.engine.tables.prepare import PreparedTable
from tariffs.engine.tables.scope_masks import scope_mask

ARMINGTON = "armington"
PROHIBITIVE = 1e6
"""Rate at which trade in a variety vanishes, as a fraction."""
NOTHING = 1e-9
"""Share of a value below which it counts as zero after rounding."""


@dataclass(frozen=True)
class TradeVolume:
    """Trade after the response.

    Per line: value after in dollars, quantity hat, creation and diversion; per product: surplus and welfare, NaN where
    a model does not give them, and domestic goods where there is a market of sectors.
    """

    value: F64
    quantity_hat: F64
    creation: F64
    diversion: F64
    product_of_line: I64
    buyer_surplus: F64
    welfare: F64
    domestic: DomesticGoods | None = None


@dataclass(frozen=True)
class Varieties:
    """Varieties of a table: the variety of each line, and per variety its product and value."""

    of_line: I64
    product: I64
    value: F64

    def mean_rate(self, duty: F64) -> F64:
        """Compute the rate of each variety from duty per line; 0 without value."""
        return ratio(sums_of(self.of_line, duty, len(self.value)), self.value, 0.0)

    def open_value(self, prohibited: F64) -> F64:
        """Compute the value of each variety that may be imported, from the prohibited value per line."""
        return self.value - sums_of(self.of_line, prohibited, len(self.value))

    def closed(self, prohibited: F64) -> Bools:
        """Mark the varieties that are prohibited as a whole."""
        return (self.value > 0.0) & (self.open_value(prohibited) <= NOTHING * self.value)


@dataclass(frozen=True)
class Response:
    """Response of a table from its baseline; a call with a scenario's duties computes their volumes.

    `base_rate` is the rate of each variety at the baseline, `parameters` are per product of the table; `market` puts
    sectors above Armington's products.
    """

    table: PreparedTable
    varieties: Varieties
    base_rate: F64
    model: str
    parameters: ProductParameters
    market: SectorMarket | None = None

    def __call__(self, duties: Duties) -> TradeVolume:
        """Compute volumes under a scenario's duties."""
        return self.to_lines(self._at(self.rate_under(duties), self.parameters))

    def _at(self, rate: F64, parameters: ProductParameters) -> Any:
        """Compute the model's result per variety at given rates."""
        v = self.varieties
        if self.market is None:
            return _MODELS[self.model](v.product, v.value, self.base_rate, rate, parameters)
        own = armington(
            v.product,
            v.value,
            self.base_rate,
            rate,
            parameters.sigma,
            parameters.eta,
            supply=parameters.supply[v.product],
        )
        return self.market(v.product, v.value, self.base_rate, rate, own, parameters)

    def rate_under(self, duties: Duties) -> F64:
        """Compute the rate of each variety: its duty over the value that may be imported.

        Armington demand treats a variety that is prohibited as a whole as one at a prohibitive rate. The other models
        cannot, so they keep its baseline rate.
        """
        v = self.varieties
        if not duties.prohibited.any():
            return v.mean_rate(duties.duty)
        closed = np.full_like(v.value, PROHIBITIVE) if self.model == ARMINGTON else self.base_rate
        count = len(v.value)
        rate = ratio(sums_of(v.of_line, duties.duty, count), v.open_value(duties.prohibited), 0.0)
        return np.where(v.closed(duties.prohibited), closed, rate)

    def solver(self, duties: Duties) -> Callable[[ProductParameters], Any]:
        """Make a function of the parameters that gives the model's result per variety under a scenario's duties."""
        v = self.varieties
        rate = self.rate_under(duties)
        above = self.market
        if above is not None:
            alone = armington_solver(v.product, v.value, self.base_rate, rate)
            return lambda p: above(
                v.product, v.value, self.base_rate, rate, alone(p.sigma, p.eta, p.supply), p
            )
        if self.model == ARMINGTON:
            p = self.parameters
            domestic = domestic_shipments(v.product, v.value, self.base_rate, p)
            run = armington_solver(v.product, v.value, self.base_rate, rate, kappa=p.kappa, domestic=domestic)
            return lambda p: run(p.sigma, p.eta, p.supply)
        return lambda p: self._at(rate, p)

    def to_lines(self, result: Any) -> TradeVolume:
        """Convert a model's result per variety to volumes per line."""
        v0, v = self.table.lines.value, self.varieties
        products = len(self.parameters.sigma)
        share = ratio(v0, v.value[v.of_line], 0.0)
        return TradeVolume(
            value=result.value[v.of_line] * share,
            quantity_hat=result.quantity_hat[v.of_line],
            creation=result.creation[v.of_line] * share,
            diversion=result.diversion[v.of_line] * share,
            product_of_line=self.table.product_of_line,
            buyer_surplus=per_product(result.buyer_surplus, v.product, products),
            welfare=per_product(result.welfare, v.product, products),
            domestic=None if self.market is None else result.domestic,
        )


def respond(
    table: PreparedTable, base: Duties, response: str, parameters: ProductParameters, market: str
) -> Response:
    """Prepare the response of a table from the baseline.

    Args:
        table: the table.
        base: duties at the baseline.
        response: armington, passthrough, smart or gsim.
        parameters: sigma, eta and supply per product code of the table.
        market: product or sector; sectors need armington.
    """
    lines = table.lines
    product_of_line = table.product_of_line
    key = product_of_line * len(lines.origins) + lines.origin
    distinct, of_line = np.unique(key, return_inverse=True)
    value = sums_of(of_line, lines.value, len(distinct))
    varieties = Varieties(of_line, distinct // len(lines.origins), value)
    sectors = SectorMarket.of(table.products, parameters) if market == SECTOR else None
    return Response(table, varieties, varieties.mean_rate(base.duty), response, parameters, sectors)


def _armington(product: I64, v0: F64, t0: F64, t1: F64, p: ProductParameters) -> Any:
    kappa = np.where(np.isnan(p.kappa), p.eta, p.kappa)
    domestic = domestic_shipments(product, v0, t0, p)
    return armington(
        product, v0, t0, t1, p.sigma, p.eta, supply=p.supply[product], kappa=kappa, domestic=domestic
    )


def domestic_shipments(product: I64, v0: F64, t0: F64, p: ProductParameters) -> F64:
    """Compute domestic shipments of each product at the baseline, USD, from their ratio to landed imports."""
    return p.domestic_ratio * sums_of(product, v0 * (1.0 + t0), len(p.sigma))


def _passthrough(product: I64, v0: F64, t0: F64, t1: F64, p: ProductParameters) -> Any:
    return passthrough(v0, t0, t1, p.eta[product], supply=p.supply[product])


def _smart(product: I64, v0: F64, t0: F64, t1: F64, p: ProductParameters) -> Any:
    return smart(product, v0, t0, t1, -p.eta, p.sigma, supply=p.supply[product])


def _gsim(product: I64, v0: F64, t0: F64, t1: F64, p: ProductParameters) -> Any:
    return gsim_imports(product, v0, t0, t1, -p.eta, p.sigma, supply=p.supply)


_MODELS: dict[str, Callable[[I64, F64, F64, F64, ProductParameters], Any]] = {
    ARMINGTON: _armington,
    "passthrough": _passthrough,
    "smart": _smart,
    "gsim": _gsim,
}


def per_product(values: F64 | None, product: I64, products: int) -> F64:
    """Convert values to one per product, summed if a model gives them per variety."""
    if values is None:
        return np.full(products, np.nan)
    return values if len(values) == products else sums_of(product, values, products)


def apply_constraints(volume: TradeVolume, law: Law, dated: Dated, lines: LineArrays) -> TradeVolume:
    """Apply a scenario's limits and floors on quantities, and the limits of the law, to a volume.

    Prices stay those of the model, and other origins do not replace what a limit cuts.
    """
    hat = volume.quantity_hat
    for index, moment in enumerate(dated.moments):
        in_force, instant = law.in_force(*moment), moment[0]
        limits = limits_at(law, *moment)
        for constraint in (*law.constraints, *limits):
            if constraint.holds(instant):
                mask = scope_mask(constraint.scope, lines, in_force)
                mask = mask if dated.of_line is None else mask & (dated.of_line == index)
                hat = _constrained(hat, mask, lines.value, constraint)
    return limit_quantity(volume, hat)


def limit_quantity(volume: TradeVolume, hat: F64) -> TradeVolume:
    """Replace the quantities of a volume at the prices of the model.

    Creation, diversion, surplus and welfare of a line with a changed quantity are unknown, hence NaN.
    """
    bound = hat != volume.quantity_hat
    unknown = np.zeros(len(volume.welfare), dtype=bool)
    unknown[volume.product_of_line[bound]] = True
    return replace(
        volume,
        value=np.where(bound, volume.value * ratio(hat, volume.quantity_hat, 0.0), volume.value),
        quantity_hat=hat,
        creation=np.where(bound, np.nan, volume.creation),
        diversion=np.where(bound, np.nan, volume.diversion),
        buyer_surplus=np.where(unknown, np.nan, volume.buyer_surplus),
        welfare=np.where(unknown, np.nan, volume.welfare),
    )


def without_prohibited(volume: TradeVolume, response: Response, prohibited: F64) -> TradeVolume:
    """Remove prohibited goods from a volume.

    For a variety that is prohibited as a whole, Armington demand gives the effect on the others and on buyers, as long
    as their loss is finite. Everything else is cut at the prices of the model, as in `limit_quantity`.

    Args:
        volume: the volume under the duties.
        response: the response that computed it.
        prohibited: value per line that may not be imported.
    """
    v, value = response.varieties, response.table.lines.value
    closed = v.closed(prohibited)
    answered = closed[v.of_line] if response.model == ARMINGTON else np.zeros(len(value), dtype=bool)
    share = 1.0 - ratio(prohibited, value, 0.0)
    cut = limit_quantity(volume, np.where(answered, volume.quantity_hat, volume.quantity_hat * share))
    known = is_loss_finite(response, closed) | ~products_of(v, closed, len(volume.welfare))
    return replace(
        cut,
        value=np.where(answered, 0.0, cut.value),
        quantity_hat=np.where(answered, 0.0, cut.quantity_hat),
        buyer_surplus=np.where(known, cut.buyer_surplus, np.nan),
        welfare=np.where(known, cut.welfare, np.nan),
    )


def products_of(varieties: Varieties, chosen: Bools, products: int) -> Bools:
    """Mark the products that have one of the chosen varieties."""
    has_chosen = np.zeros(products, dtype=bool)
    has_chosen[varieties.product[chosen]] = True
    return has_chosen


def is_loss_finite(response: Response, closed: Bools) -> Bools:
    """Mark the products whose buyers lose a finite amount without the closed varieties.

    They can substitute another variety or domestic goods, or demand is elastic.
    """
    v, p = response.varieties, response.parameters
    others = products_of(v, ~closed & (v.value > 0.0), len(p.sigma)) & (p.sigma > 1.0)
    return others | (p.eta > 1.0) | ((p.domestic_ratio > 0.0) & (p.kappa > 1.0))


def _constrained(hat: F64, mask: Bools, value: F64, constraint: Constraint) -> F64:
    compliance = float(constraint.compliance)
    if constraint.share is not None:
        return np.where(mask, np.minimum(hat, 1.0 - compliance * (1.0 - float(constraint.share))), hat)
    wanted = float(constraint.floor or 0) * compliance
    traded = float((value * hat)[mask].sum())
    return np.where(mask, hat * (wanted / traded), hat) if 0.0 < traded < wanted else hat
