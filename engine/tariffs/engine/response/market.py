"""Market above products: demand of a sector over its products and domestic goods. See docs/models/market.md."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tariffs.engine.base.array_utils import sums_of
from tariffs.engine.response.inputs import (
    ELASTICITY,
    SUPPLY,
    VALUE,
    Floats,
    Groups,
    Ints,
    Range,
    bounded,
    frozen,
    group_lines,
    invalid,
    over_products,
    per_line,
)

PRICE = Range(0.0, above=True)


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
        threads: threads to use; the result has the same bits on any number.

    Raises:
        InputError: PARAMETER_INVALID with the product or nest at fault.
    """
    from tariffs.engine.response.kernels.market import market_nests

    size = np.size(nest)
    spent = per_line("landed", landed, size, VALUE)
    price = frozen(np.log(per_line("import_price_hat", import_price_hat, size, PRICE)))
    etas = per_line("eta", eta, size, ELASTICITY)
    w = frozen(1.0 / per_line("supply", supply, size, SUPPLY))
    goods = per_line("domestic", domestic, size, VALUE)
    groups = group_lines(nest, size, spent, price, etas, w, goods)
    place = _places(groups)
    parameters = np.column_stack(
        [
            _common(etas, groups, place),
            groups.per_product("kappa", kappa, ELASTICITY),
            groups.per_product("top", top, ELASTICITY),
            _sums(goods, groups),
            1.0 / groups.per_product("supply_domestic", supply_domestic, SUPPLY),
        ]
    )
    nests = np.empty((groups.products.size, 4))

    def solve(first: int, last: int) -> None:
        market_nests(first, last, groups.order, groups.offsets, spent, price, w, frozen(parameters), nests)

    over_products(solve, groups.offsets, threads)
    bounded(nests.T)
    return _response(groups, place, spent, price, goods, w, parameters, nests)


def _places(groups: Groups) -> Ints:
    """Find the nest of each product, as an index."""
    place = np.empty(groups.order.size, dtype=np.int64)
    place[groups.order] = np.repeat(np.arange(groups.products.size), np.diff(groups.offsets))
    return place


def _common(etas: Floats, groups: Groups, place: Ints) -> Floats:
    """Take the one eta of each nest.

    Raises:
        InputError: PARAMETER_INVALID if products of a nest have several.
    """
    common: Floats = etas[groups.order[groups.offsets[:-1]]]
    unequal = etas != common[place]
    if unequal.any():
        line = int(np.argmax(unequal))
        raise invalid(
            "eta",
            f"product {line}: eta is {etas[line]:g}, but {common[place[line]]:g} elsewhere in its nest.",
            fix="Put products with another eta into a nest of their own.",
            line=line,
        )
    return common


def _sums(values: Floats, groups: Groups) -> Floats:
    """Sum values per nest in the order of its products, the same for any order of the caller's."""
    ordered = values[groups.order]
    index = np.repeat(np.arange(groups.products.size), np.diff(groups.offsets))
    return sums_of(index, ordered, groups.products.size)


def _response(
    groups: Groups,
    place: Ints,
    landed: Floats,
    price: Floats,
    goods: Floats,
    w: Floats,
    parameters: Floats,
    nests: Floats,
) -> MarketResponse:
    eta, kappa, top, domestic, domestic_w = parameters.T
    shift, x, y, domestic_price = nests.T
    moved = shift[place] / (1.0 + eta[place] * w)
    imports = _sums(landed, groups)
    domestic_quantity = (kappa - top) * y - kappa * domestic_price
    surplus = -(imports + domestic) * _growth(y, 1.0 - top)
    producers = domestic * domestic_w * _growth(domestic_quantity, 1.0 + domestic_w)
    share = _quotient(goods, domestic[place])
    return MarketResponse(
        quantity_hat=np.exp(moved),
        exporter_price_hat=np.exp(w * moved),
        buyer_surplus=_attributed(
            groups, place, surplus, landed, price + w * moved, share, parameters, nests
        ),
        domestic_supplier_surplus=producers[place] * share,
        domestic_price_hat=np.exp(domestic_price)[place],
        domestic_quantity_hat=np.exp(domestic_quantity)[place],
        nests=groups.products,
        import_price_hat=np.exp(x),
        price_hat=np.exp(y),
    )


def _attributed(
    groups: Groups,
    place: Ints,
    surplus: Floats,
    landed: Floats,
    price: Floats,
    share: Floats,
    parameters: Floats,
    nests: Floats,
) -> Floats:
    """Divide the surplus of each nest over its products by their part in its price.

    The log of a CES index is the sum of the logs of its prices with Sato-Vartia weights, so the parts add up exactly.
    """
    eta, kappa, _, domestic, _ = parameters.T
    _, x, y, domestic_price = nests.T
    imports = _sums(landed, groups)
    before = _quotient(imports, imports + domestic)
    middle = _vartia(before, before * np.exp((1.0 - kappa) * (x - y)))
    other = _vartia(1.0 - before, (1.0 - before) * np.exp((1.0 - kappa) * (domestic_price - y)))
    of_imports = _quotient(middle, middle + other)
    within = _quotient(landed, imports[place])
    weight = _vartia(within, within * np.exp((1.0 - eta[place]) * (price - x[place])))
    weight = _quotient(weight, _sums(weight, groups)[place])
    part = of_imports[place] * weight * price + ((1.0 - of_imports) * domestic_price)[place] * share
    per_log = np.divide(surplus, y, out=-(imports + domestic), where=y != 0.0)
    attributed: Floats = per_log[place] * part
    return attributed


def _vartia(before: Floats, after: Floats) -> Floats:
    """Compute the logarithmic mean of two shares; their common value where they are equal."""
    known = (before > 0.0) & (after > 0.0) & (before != after)
    log = np.log(np.divide(after, before, out=np.ones_like(before), where=known))
    # Near equality the arithmetic mean has the digits that the quotient loses.
    apart = known & (np.abs(log) > 1e-5)
    mean: Floats = np.divide(after - before, log, out=0.5 * (before + after), where=apart)
    return np.where(after > 0.0, mean, 0.0)


def _growth(log_hat: Floats, power: Floats) -> Floats:
    """Compute (X^power - 1) / power for the hat X with that log; the log itself at power 0."""
    exact: Floats = np.divide(np.expm1(power * log_hat), power, out=log_hat.copy(), where=power != 0.0)
    return exact


def _quotient(above: Floats, below: Floats) -> Floats:
    quotient: Floats = np.divide(above, below, out=np.zeros_like(below), where=below > 0.0)
    return quotient
