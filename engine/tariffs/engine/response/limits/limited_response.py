"""Put limits on quantities on the trade that a model gives. See docs/models/quotas.md.

The limits are a step of their own on the trade after duties: the model's demand at their premiums, in place of its
quantities at the prices of the duties alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from tariffs.engine.base.array_utils import F64, I64, Bools, ratio, sums_of
from tariffs.engine.law.amendments import RENT_HOLDERS
from tariffs.engine.response.elasticities.adjustment_profile import PathParameters
from tariffs.engine.response.elasticities.parameters import ProductParameters
from tariffs.engine.response.limits.market_above import MarketAbove
from tariffs.engine.response.limits.quantity_constraints import QuantityConstraints
from tariffs.engine.response.limits.quotas import JointLimit, QuotaProblem, QuotaSolution, solve_quotas
from tariffs.engine.response.trade.trade_response import ARMINGTON, PROHIBITIVE, Response
from tariffs.engine.response.trade.varieties import QuotaRents, VarietyRates, VarietyVolume

PASSTHROUGH = "passthrough"


@dataclass(frozen=True)
class LimitedGoods:
    """Varieties of the products that limits affect, and their classes, sorted by product.

    Attributes:
        products: the products, as numbers of the table.
        variety: the varieties, as numbers of the table.
        product_of: place of the product of each of these varieties.
        class_of: class of each of these varieties.
        offsets: first class of each product, one more than products.
        share: most of the quantity of each class at the baseline, a fraction; infinite without a limit of its own.
        holder: per variety who has the rents, an index into RENT_HOLDERS.
        years: age of the latest limit on each product; of the latest of all where products are linked.
        prohibited: marks the varieties that are prohibited as a whole; no limit is on them.
        kept: part of each variety that may be imported.
        amounts: per joint limit the quantity of each variety at the baseline in its unit, of what may be imported.
    """

    products: I64
    variety: I64
    product_of: I64
    class_of: I64
    offsets: I64
    share: F64
    holder: I64
    years: F64
    prohibited: Bools
    kept: F64
    amounts: tuple[F64, ...]

    @property
    def classes(self) -> int:
        """Number of classes."""
        return int(self.offsets[-1])

    @classmethod
    def of(
        cls, response: Response, rates: VarietyRates, limits: QuantityConstraints, linked: I64 | None
    ) -> LimitedGoods:
        """Find the classes of limited goods.

        Args:
            response, rates, limits: as of `LimitedResponse`.
            linked: a number per product of the table; products with that of a limited one are affected too, but for -1.
                None links nothing.
        """
        v, caps, joint = response.varieties, limits.caps, limits.effective
        marks = np.column_stack([caps.marks, *(each.mask for each in joint)])
        limited = limits.limited[v.line] & ~rates.prohibited & (v.value > 0.0)
        affected = np.zeros(len(v.offsets) - 1, dtype=bool)
        affected[v.product[limited]] = True
        if linked is not None:
            affected |= np.isin(linked, linked[affected & (linked >= 0)])
        chosen = np.flatnonzero(affected[v.product])
        limited, line = limited[chosen], v.line[chosen]
        products, place = np.unique(v.product[chosen], return_inverse=True)
        origin = np.where(caps.marks, response.table.lines.origin, -1)
        content = np.column_stack([origin, np.where(caps.marks, caps.share, 0.0), caps.holder, marks])
        _, kind = np.unique(content, axis=0, return_inverse=True)
        key = place * (int(kind.max(initial=0)) + 2) + np.where(limited, kind[line] + 1, 0)
        _, first, class_of = np.unique(key, return_index=True, return_inverse=True)
        share = rates.prohibited_share
        kept = np.ones(len(chosen)) if share is None else 1.0 - share[chosen]
        years = _years(limits, line, place, limited, len(products))
        return cls(
            products=products,
            variety=chosen,
            product_of=place.astype(np.int64),
            class_of=class_of.astype(np.int64),
            offsets=np.searchsorted(place[first], np.arange(len(products) + 1)).astype(np.int64),
            share=np.where(limited, caps.share[line], np.inf)[first],
            holder=_holders(limits, line),
            years=years if linked is None else np.full(len(products), years.min(initial=np.inf)),
            prohibited=rates.prohibited[chosen],
            kept=kept,
            amounts=tuple(
                np.where(limited & each.mask[line], each.amount[line] * v.share[chosen] * kept, 0.0)
                for each in joint
            ),
        )


def _holders(limits: QuantityConstraints, line: I64) -> I64:
    """Take who has the rents of each line: of its own limit, else of the first joint limit it is under."""
    holder = np.where(limits.caps.marks, limits.caps.holder, -1)
    for each in limits.effective:
        holder = np.where((holder < 0) & each.mask, each.holder, holder)
    return np.maximum(holder, 0)[line]


def _years(limits: QuantityConstraints, line: I64, place: I64, limited: Bools, products: int) -> F64:
    """Take the age of the latest limit on each product; infinite for products that none is on."""
    latest = np.full(products, np.inf)
    under = limited & limits.caps.marks[line]
    np.minimum.at(latest, place[under], limits.caps.years[line[under]])
    for each in limits.effective:
        under = limited & each.mask[line]
        np.minimum.at(latest, place[under], each.years)
    return latest


class _Trade(NamedTuple):
    """Limited goods after duties: value, landed cost and quantity hat per variety, landed cost per product; USD."""

    value: F64
    landed: F64
    hat: F64
    of_product: F64


class LimitedResponse:
    """Response under limits on quantities and rates of varieties, for any elasticities."""

    def __init__(self, response: Response, rates: VarietyRates, limits: QuantityConstraints) -> None:
        self._response = response
        self._limits = limits
        linked = None if response.market is None else response.market.nest_of_product
        self._goods = goods = LimitedGoods.of(response, rates, limits, linked)
        self._rate = np.where(goods.prohibited, 0.0, rates.rate[goods.variety])
        self._base = response.varieties.value[goods.variety]

    def __call__(self, volume: VarietyVolume, parameters: ProductParameters) -> VarietyVolume:
        """Move the trade after duties to one that keeps the limits.

        Raises:
            InputError: PARAMETER_INVALID for goods with domestic shipments of their own at the horizon `path`.
        """
        if not len(self._goods.products):
            nothing = np.zeros((len(RENT_HOLDERS) + 2, self._response.varieties.count))
            return replace(volume, rents=QuotaRents(nothing, (0.0,) * len(self._limits.effective)))
        goods, trade = self._goods, self._trade_of(volume)
        at_age = elasticities_at(parameters, goods)
        central = elasticities_at(self._response.parameters, goods).eta
        above = MarketAbove.of(self._response, goods.products, volume, at_age, central, trade.of_product)
        eta = at_age.eta[goods.products] if above is None else above.eta
        sigma = eta if self._response.model == PASSTHROUGH else at_age.sigma[goods.products]
        problem = self._problem(trade, sigma, eta, at_age.supply[goods.products])
        found = solve_quotas(problem, above)
        return self._moved(volume, trade, problem, found, above)

    def _trade_of(self, volume: VarietyVolume) -> _Trade:
        goods = self._goods
        value, hat = volume.value[goods.variety], volume.quantity_hat[goods.variety]
        landed = value * np.where(goods.prohibited, 1.0 + PROHIBITIVE, 1.0 + self._rate)
        return _Trade(value, landed, hat, sums_of(goods.product_of, landed, len(goods.products)))

    def _problem(self, trade: _Trade, sigma: F64, eta: F64, supply: F64) -> QuotaProblem:
        goods, kept = self._goods, self._goods.kept

        def by_class(amounts: F64) -> F64:
            return sums_of(goods.class_of, amounts, goods.classes)

        traded, nothing = by_class(self._base * trade.hat * kept), goods.share == 0.0
        most = np.where(np.isfinite(goods.share), goods.share, 0.0) * by_class(self._base)
        bound = np.isfinite(goods.share) & ~nothing & (traded > 0.0)
        caps = np.full(goods.classes, np.inf)
        caps[bound] = np.log(most[bound] / traded[bound])
        joint = [
            JointLimit(each.kind, by_class(amounts * trade.hat), each.wanted)
            for each, amounts in zip(self._limits.effective, goods.amounts, strict=True)
        ]
        wedges = np.where(nothing, np.log1p(PROHIBITIVE), 0.0)
        return QuotaProblem(goods.offsets, by_class(trade.landed), caps, wedges, joint, sigma, eta, supply)

    def _moved(
        self,
        volume: VarietyVolume,
        trade: _Trade,
        problem: QuotaProblem,
        found: QuotaSolution,
        above: MarketAbove | None,
    ) -> VarietyVolume:
        """Put the solution on the volume."""
        goods = self._goods
        unknown, nothing = self._unknown(found), (goods.share == 0.0)[goods.class_of]
        cut = np.where(np.isfinite(problem.caps), np.minimum(problem.caps, 0.0), 0.0)
        quantity = np.where(
            np.isnan(found.index)[goods.product_of], cut[goods.class_of], found.quantity[goods.class_of]
        )
        premium = np.where(nothing | goods.prohibited, 0.0, found.premium[goods.class_of])
        premium = np.where(unknown[goods.product_of] & (premium != 0.0), np.nan, premium)
        grown = np.where(nothing, 0.0, np.exp(quantity))
        price = np.exp(quantity / problem.supply[goods.product_of])
        border = trade.value * grown * price
        exporters = goods.holder == RENT_HOLDERS.index("exporter")
        value = border * np.where(exporters & ~np.isnan(premium), np.exp(premium), 1.0)
        rents = self._rents(border, premium, exporters, tuple(np.expm1(found.joint).tolist()))
        owned = self._owned(trade, problem, found, above, unknown)
        duty = np.where(goods.prohibited, 0.0, self._rate * (value - trade.value)) * goods.kept
        home = np.where(exporters, 0.0, rents.amounts[: len(RENT_HOLDERS), goods.variety].sum(axis=0))
        change = sums_of(goods.product_of, duty + home, len(goods.products))
        hats, values = volume.quantity_hat.copy(), volume.value.copy()
        hats[goods.variety] *= grown
        values[goods.variety] = value
        surplus, welfare = volume.buyer_surplus.copy(), volume.welfare.copy()
        surplus[goods.products] += owned
        domestic, produced = (None, 0.0) if above is None else above.domestic(volume.domestic)
        welfare[goods.products] += owned + change + produced
        creation, diversion = self._parts(volume, hats)
        return VarietyVolume(
            values, hats, creation, diversion, surplus, welfare, domestic or volume.domestic, rents
        )

    def _unknown(self, found: QuotaSolution) -> Bools:
        """Mark the products whose limits no price keeps."""
        goods = self._goods
        unknown = np.isnan(found.index)
        for amounts, log in zip(goods.amounts, found.joint, strict=True):
            if np.isnan(log):
                unknown[goods.product_of[amounts > 0.0]] = True
        return unknown

    def _rents(self, border: F64, premium: F64, exporters: Bools, premiums: tuple[float, ...]) -> QuotaRents:
        """Compute the rents of each holder; an exporter's premium is on its price, before duty."""
        goods, bound = self._goods, premium != 0.0
        landed = border * (1.0 + self._rate) * goods.kept
        paid = np.where(exporters, border * goods.kept, landed)
        rent = np.where(bound, paid * np.expm1(premium), 0.0)
        held = [np.where(goods.holder == place, rent, 0.0) for place in range(len(RENT_HOLDERS))]
        amounts = np.zeros((len(held) + 2, self._response.varieties.count))
        amounts[:, goods.variety] = [
            *held,
            np.where(bound, landed, 0.0),
            np.where(bound, landed * np.expm1(premium), 0.0),
        ]
        return QuotaRents(amounts, premiums)

    def _owned(
        self,
        trade: _Trade,
        problem: QuotaProblem,
        found: QuotaSolution,
        above: MarketAbove | None,
        unknown: Bools,
    ) -> F64:
        """Compute the change of buyers' surplus of each product."""
        power = 1.0 - problem.eta
        index = np.where(unknown, 0.0, found.index)
        growth = np.where(power == 0.0, index, np.expm1(power * index) / np.where(power == 0.0, 1.0, power))
        owned = -trade.of_product * growth
        if above is not None:
            owned = above.surplus(index, owned)
        return np.where(unknown, np.nan, owned)

    def _parts(self, volume: VarietyVolume, hats: F64) -> tuple[F64, F64]:
        """Split the change of quantity into creation and diversion.

        Armington's parts follow from the whole change; those of the other models from their own and this step.
        """
        v, model = self._response.varieties, self._response.model
        products = len(v.offsets) - 1
        if model == PASSTHROUGH:
            return v.value * (hats - 1.0), volume.diversion
        before = v.value if model == ARMINGTON else v.value * volume.quantity_hat
        whole = ratio(sums_of(v.product, v.value * hats, products), sums_of(v.product, before, products), 1.0)
        grown = before * (whole[v.product] - 1.0)
        rest = v.value * hats - before - grown
        if model == ARMINGTON:
            return grown, rest
        return volume.creation + grown, volume.diversion + rest


def elasticities_at(parameters: ProductParameters, goods: LimitedGoods) -> ProductParameters:
    """Take the elasticities of a horizon, or of the age of the latest limit on each product."""
    if not isinstance(parameters, PathParameters):
        return parameters
    ages = np.zeros(len(parameters.sigma))
    ages[goods.products] = goods.years
    columns = np.empty((3, len(ages)))
    for age in np.unique(ages):
        at_age, chosen = parameters.at(float(age)), ages == age
        columns[:, chosen] = np.stack([at_age.sigma, at_age.eta, at_age.supply])[:, chosen]
    sigma, eta, supply = columns
    return replace(parameters.stages[1], sigma=sigma, eta=eta, supply=supply)
