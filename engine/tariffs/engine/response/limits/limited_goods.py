"""Classes of goods under limits on quantities: varieties of a product under the same limits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tariffs.engine.base.array_utils import F64, I64, Bools
from tariffs.engine.response.limits.quantity_constraints import QuantityConstraints
from tariffs.engine.response.trade.trade_response import Response
from tariffs.engine.response.trade.variety_rates import VarietyRates


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
        """Find the classes.

        Args:
            response: the response of the table.
            rates: rates of the varieties.
            limits: the limits.
            linked: a number per product of the table; products with that of a limited one are affected too, but for -1.
                None links nothing.
        """
        v, caps, joint = response.varieties, limits.caps, limits.effective
        marks = np.column_stack([caps.marks, *(each.mask for each in joint)])
        of_line: Bools = np.logical_or.reduce(marks, axis=1)
        limited = of_line[v.line] & ~rates.prohibited & (v.value > 0.0)
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
        kept = (
            np.ones(len(chosen)) if rates.prohibited_share is None else 1.0 - rates.prohibited_share[chosen]
        )
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
