"""Solve products whose powers of duty leave the range of numbers by `armington`, step by step, in single lanes."""

from __future__ import annotations

import numpy as np

from tariffs.engine.base.array_utils import F64, I64, Bools, sums_of
from tariffs.engine.errors import InputError
from tariffs.engine.response.inputs import bounded
from tariffs.engine.response.lanes.adjustment import LawDuty
from tariffs.engine.response.lanes.lane_sections import LaneSums
from tariffs.engine.response.lanes.lane_table import LaneTable
from tariffs.engine.response.models.armington import armington

STEEP = 700.0
"""Exponent of a power beyond which a hat is no normal number."""


def steep_products(stages: F64, reach: F64, domestic: F64) -> Bools | None:
    """Mark products and lanes (products, lanes) with exponents beyond `STEEP`; None if there are none.

    Args:
        stages: sigma, eta and inverse supply (products, horizons, 3, lanes).
        reach: per product, largest sum of the absolute changes of ln(1 + t) of a variety.
        domestic: domestic shipments per product; products that have them are solved in lanes all the same.
    """
    exponent = stages[:, :, :2].max(axis=(1, 2), initial=1.0) * reach[:, None]
    steep: Bools = (exponent > STEEP) & (domestic <= 0.0)[:, None]
    return steep if steep.any() else None


def add_steep(
    table: LaneTable, duty: LawDuty, columns: F64, chosen: Bools, lane: int, sums: LaneSums
) -> tuple[I64, F64, F64]:
    """Add the chosen products to the sums of a lane; return their varieties, and hats of value and quantity.

    Args:
        columns: sigma, eta and inverse supply of the lane (horizons, 3, products).
        lane: place of the lane in the sums.
        sums: sums, added to in place.

    Raises:
        InputError: PARAMETER_INVALID if a hat is not finite.
    """
    trade = table.trade
    lines = np.flatnonzero(chosen[trade.product])
    product, v0, t0 = trade.product[lines], trade.v0[lines], trade.t0[lines]
    value, hat, surplus, rate = v0, np.ones(lines.size), np.zeros(int(chosen.sum())), trade.t0.copy()
    for step, weights in zip(duty.path.steps, duty.path.weights, strict=True):
        before, moves = rate[lines], step.moves
        rate[moves.variety] = moves.after
        sigma, eta, w = np.einsum("ph,hpk->pk", weights, columns)
        with np.errstate(divide="ignore"):
            supply = (1.0 / w)[product]
        try:
            found = armington(
                product, value, before, rate[lines], sigma[chosen], eta[chosen], supply=supply,
                kappa=np.where(np.isnan(table.kappa), eta, table.kappa)[chosen], domestic=table.domestic[chosen],
            )  # fmt: skip
        except InputError as error:
            hats = np.ones((1, trade.v0.size))
            hats[0, lines[int(error.metadata["line"])]] = np.inf
            # The error is that of the variety among all.
            bounded(hats)
        value, hat, surplus = found.value, hat * found.quantity_hat, surplus + found.buyer_surplus
    paid = value if duty.price is None else value * duty.price[lines]
    kept = np.ones(lines.size) if duty.kept is None else duty.kept[lines]
    counts, charged = paid * kept, paid * kept * duty.rate[lines]
    products = trade.products
    was = sums_of(product, v0, products)
    growth = np.divide(sums_of(product, v0 * hat, products), was, out=np.ones(products), where=was > 0.0)
    vat = 0.0 if table.vat is None else table.vat[lines]
    of_lines = (
        counts, charged, table.charges[lines] * hat * kept, v0 * (growth - 1.0)[product], v0 * hat * kept,
        v0 * hat * kept * t0, vat * (counts + charged),
    )  # fmt: skip
    group = table.groups.of_variety[lines]
    inside = group >= 0
    for place, amounts in enumerate(of_lines):
        sums.lines[:, place, lane] += sums_of(group[inside], amounts[inside], len(sums.lines))
    if sums.owed is not None and duty.owed is not None:
        owed = counts * duty.owed[lines]
        sums.owed[:, lane] += sums_of(group[inside], owed[inside], len(sums.owed))
    if duty.values is not None:
        sums.values[:, lane] += sums_of(duty.values[lines][inside], counts[inside], len(sums.values))
    revenue = sums_of(product, charged - v0 * t0, products)[chosen]
    for place, owned in enumerate((surplus, surplus + revenue)):
        sums.owned[:, place, lane] += sums_of(table.groups.of_product[chosen], owned, len(sums.owned))
    traded = v0 > 0.0
    return lines, np.divide(paid, v0, out=np.ones(lines.size), where=traded), hat
