"""Armington response: nested CES demand over the origins of one product. See docs/models/armington.md."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike

from tariffs.engine.response.inputs import (
    ELASTICITY,
    LINE_FIELDS,
    SUPPLY,
    VALUE,
    Floats,
    Ints,
    LineResponse,
    bounded,
    frozen,
    group_lines,
    invalid,
    named,
    over_products,
    per_line,
    read_trade,
)

STATUS = ("direct", "newton", "bisected", "no trade")
"""Solution method of a product, by its `status` number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmingtonResponse(LineResponse):
    """Result of `armington`: that of lines, and per product in the order of `products`.

    Attributes:
        buyer_surplus: change of the surplus of buyers and importers.
        terms_of_trade: saving from lower exporter prices on the quantity after.
        welfare: buyer surplus + domestic producers' surplus + change of revenue.
        deadweight_loss: terms_of_trade - welfare.
        import_price_hat, import_quantity_hat: of the CES aggregate of imports.
        domestic_quantity_hat, domestic_supplier_surplus: of domestic shipments, where given.
        products: sorted product ids.
        status: index into `STATUS`.
    """

    buyer_surplus: Floats
    terms_of_trade: Floats
    welfare: Floats
    deadweight_loss: Floats
    import_price_hat: Floats
    import_quantity_hat: Floats
    domestic_quantity_hat: Floats
    domestic_supplier_surplus: Floats
    products: Ints
    status: Ints


_PRODUCT_FIELDS = [one.name for one in fields(ArmingtonResponse)][len(LINE_FIELDS) : -2]


def armington(
    product: ArrayLike,
    v0: ArrayLike,
    t0: ArrayLike,
    t1: ArrayLike,
    sigma: ArrayLike,
    eta: ArrayLike,
    *,
    supply: ArrayLike = np.inf,
    freight: ArrayLike = 0.0,
    kappa: ArrayLike | None = None,
    domestic: ArrayLike | None = None,
    supply_domestic: ArrayLike = np.inf,
    threads: int = 1,
) -> ArmingtonResponse:
    """Respond to a change of duty, product by product.

    Args:
        product: an integer per line; lines of one product substitute for each other.
        v0: customs value at the baseline, USD, per line.
        t0: duty rate at the baseline, a fraction > -1, scalar or per line.
        t1: duty rate of the scenario, likewise.
        sigma: substitution between origins, >= 0, scalar or one per product in the order of the sorted ids.
        eta: elasticity of demand for the product's imports (with `domestic`: of both), >= 0, likewise.
        supply: export supply elasticity, > 0, infinite is flat, scalar or per line.
        freight: freight and other fixed cost per dollar of customs value, scalar or per line.
        kappa: substitution between imports and domestic goods, scalar or per product.
        domestic: domestic shipments at the baseline, USD, scalar or per product; needs `kappa`.
        supply_domestic: their supply elasticity, > 0, scalar or per product.
        threads: threads to use; the result has the same bits on any number.

    Raises:
        InputError: PARAMETER_INVALID with the line or product at fault.
    """
    from tariffs.engine.response.kernels.armington import armington_accounts, armington_prices

    if domestic is not None and kappa is None:
        raise invalid("kappa", "domestic shipments are given without kappa.", fix="Give kappa as well.")
    value, rates = read_trade(v0, t0, t1)
    size = value.size
    w = frozen(1.0 / per_line("supply", supply, size, SUPPLY))
    charge = per_line("freight", freight, size, VALUE)
    groups = group_lines(product, size, value, *rates, w, charge)
    etas = groups.per_product("eta", eta, ELASTICITY)
    parameters = np.column_stack(
        [
            groups.per_product("sigma", sigma, ELASTICITY),
            etas,
            etas if kappa is None else groups.per_product("kappa", kappa, ELASTICITY),
            groups.per_product("domestic", 0.0 if domestic is None else domestic, VALUE),
            1.0 / groups.per_product("supply_domestic", supply_domestic, SUPPLY),
        ]
    )
    given = groups.order, groups.offsets, value, rates, w, charge, frozen(parameters)
    count = groups.products.size
    lines = np.empty((len(LINE_FIELDS), size))
    hats, amounts = lines[:3], lines[3:]
    nests, products = np.empty((count, 3)), np.empty((8, count))
    status = np.empty(count, dtype=np.int64)

    def solve_prices(first: int, last: int) -> None:
        armington_prices(first, last, *given, hats, nests, status)

    def compute_accounts(first: int, last: int) -> None:
        armington_accounts(first, last, *given, hats, nests, status, amounts, products)

    over_products(solve_prices, groups.offsets, threads)
    bounded(hats)
    over_products(compute_accounts, groups.offsets, threads)
    return ArmingtonResponse(
        **named(LINE_FIELDS, lines),
        **named(_PRODUCT_FIELDS, products),
        products=groups.products,
        status=status,
    )
