"""Market above products: demand of a sector over its products and domestic goods. See docs/models/market.md."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tariffs.engine.response.inputs import (
    ELASTICITY,
    SUPPLY,
    VALUE,
    Floats,
    Groups,
    Ints,
    Range,
    bounded,
    group_lines,
    invalid,
    named,
    per_line,
)
from tariffs.engine.response.sectors.lane_market import LaneMarket, Nests

PRICE = Range(0.0, above=True)
_PRODUCT_FIELDS = (
    "quantity_hat",
    "exporter_price_hat",
    "buyer_surplus",
    "domestic_supplier_surplus",
    "domestic_price_hat",
    "domestic_quantity_hat",
)


@dataclass(frozen=True, slots=True)
class MarketResponse:
    """Result of `market`. Hats are after / before; the first four are per product in the caller's order.

    Attributes:
        quantity_hat: factor on the quantity of every variety of the product, beside its own response.
        exporter_price_hat: factor on the exporter's and landed price of every variety of the product.
        buyer_surplus: change of the surplus of buyers of imports and domestic goods, attributed to the product.
        domestic_supplier_surplus: change of the surplus of domestic producers, attributed to the product.
        domestic_price_hat, domestic_quantity_hat: of domestic goods of the product's nest, per product.
        nests: sorted nest ids; what follows is per nest in this order.
        import_price_hat: of the nest's imports.
        price_hat: of its imports and domestic goods.
    """

    quantity_hat: Floats
    exporter_price_hat: Floats
    buyer_surplus: Floats
    domestic_supplier_surplus: Floats
    domestic_price_hat: Floats
    domestic_quantity_hat: Floats
    nests: Ints
    import_price_hat: Floats
    price_hat: Floats


def market(
    nest: ArrayLike,
    landed: ArrayLike,
    import_price_hat: ArrayLike,
    eta: ArrayLike,
    *,
    domestic: ArrayLike,
    kappa: ArrayLike,
    top: ArrayLike,
    supply: ArrayLike = np.inf,
    supply_domestic: ArrayLike = np.inf,
    threads: int = 1,
) -> MarketResponse:
    """Shift the demand for products by the prices of their sector's imports and domestic goods.

    Args:
        nest: an integer per product; products of one nest substitute for each other.
        landed: landed imports at the baseline, USD, per product.
        import_price_hat: landed price of each product from `armington` with the same eta, supply and no domestic goods.
        eta: substitution between products of a nest, >= 0, equal within each nest; scalar or per product.
        domestic: domestic shipments at the baseline that compete with the product, USD, scalar or per product.
        kappa: substitution between imports and domestic goods, >= 0, scalar or one per nest in sorted order.
        top: elasticity of demand for both together, >= 0, likewise; 1 keeps spending constant.
        supply: export supply elasticity, > 0, infinite is flat, scalar or per product.
        supply_domestic: supply elasticity of domestic goods, > 0, scalar or per nest.
        threads: as in `armington`.

    Raises:
        InputError: PARAMETER_INVALID with the product or nest at fault.
    """
    size = np.size(nest)
    spent = per_line("landed", landed, size, VALUE)
    price = np.log(per_line("import_price_hat", import_price_hat, size, PRICE))
    etas = per_line("eta", eta, size, ELASTICITY)
    w = 1.0 / per_line("supply", supply, size, SUPPLY)
    goods = per_line("domestic", domestic, size, VALUE)
    groups = group_lines(nest, size, spent, price, etas, w, goods)
    kappas = groups.per_product("kappa", kappa, ELASTICITY)
    tops = groups.per_product("top", top, ELASTICITY)
    supplies = groups.per_product("supply_domestic", supply_domestic, SUPPLY)
    _check_etas(etas, groups)
    order, every, place = groups.order, np.arange(size), _places(groups)
    above = LaneMarket.of(Nests(place, goods[order], tops, supplies), spent[order], every, every, every)
    elasticities = np.stack([etas[order], kappas[place], w[order]])[..., None]
    shifts, nests = above(price[order][:, None], elasticities, threads=threads)
    bounded(nests[:, :, 0].T)
    value, quantity = shifts.shifts[shifts.shift, :, 0].T
    products = np.empty((len(_PRODUCT_FIELDS), size))
    products[:, order] = [
        np.exp(quantity), np.exp(value - quantity), *shifts.gains[shifts.gain, :, 0].T, *nests[place, :2, 0].T
    ]  # fmt: skip
    return MarketResponse(
        **named(_PRODUCT_FIELDS, products),
        nests=groups.products,
        import_price_hat=np.exp(nests[:, 3, 0]),
        price_hat=np.exp(nests[:, 4, 0]),
    )


def _places(groups: Groups) -> Ints:
    """List the nests of products in the order of the groups, as indices."""
    return np.repeat(np.arange(groups.products.size), np.diff(groups.offsets))


def _check_etas(etas: Floats, groups: Groups) -> None:
    """Check that the products of each nest have one eta; raises InputError PARAMETER_INVALID if they do not."""
    ordered = etas[groups.order]
    common = ordered[groups.offsets[:-1]][_places(groups)]
    unequal = ordered != common
    if unequal.any():
        place = int(np.argmax(unequal))
        line = int(groups.order[place])
        why = f"product {line}: eta is {etas[line]:g}, but {common[place]:g} elsewhere in its nest."
        raise invalid("eta", why, fix="Put products with another eta into a nest of their own.", line=line)
