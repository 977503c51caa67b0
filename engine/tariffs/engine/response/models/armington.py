"""Armington response: nested CES demand over the origins of one product. See docs/models/armington.md."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tariffs.engine.response.inputs import (
    ELASTICITY,
    HATS,
    LINE_AMOUNTS,
    RATE,
    SUPPLY,
    VALUE,
    Floats,
    Groups,
    Ints,
    bounded,
    frozen,
    group_lines,
    invalid,
    named,
    over_products,
    per_line,
)

STATUS = ("direct", "newton", "bisected", "no trade")
"""Solution method of a product, by its `status` number."""


_PRODUCT_FIELDS = (
    "buyer_surplus",
    "terms_of_trade",
    "welfare",
    "deadweight_loss",
    "import_price_hat",
    "import_quantity_hat",
    "domestic_quantity_hat",
    "domestic_supplier_surplus",
)


@dataclass(frozen=True, slots=True)
class ArmingtonResponse:
    """Result of `armington`. Amounts are in the unit of v0, hats are after / before.

    Attributes:
        price_hat, exporter_price_hat, quantity_hat: per line, landed price, exporter's price, quantity.
        value: customs value after (exporter's price times quantity), per line.
        revenue_base, revenue: duty before and after, per line.
        landed_base, landed: value + duty + freight before and after, per line.
        creation, diversion: change of quantity at base prices, in its two parts; diversion sums to 0.
        price_effect: value less quantity at base prices, per line.
        supplier_surplus: change of exporters' surplus, per line.
        products: sorted product ids; what follows is per product in this order.
        buyer_surplus: change of the surplus of buyers and importers.
        terms_of_trade: saving from lower exporter prices on the quantity after.
        welfare: buyer surplus + domestic producers' surplus + change of revenue.
        deadweight_loss: terms_of_trade - welfare.
        import_price_hat, import_quantity_hat: of the CES aggregate of imports.
        domestic_quantity_hat, domestic_supplier_surplus: of domestic shipments, where given.
        status: index into `STATUS`.
    """

    price_hat: Floats
    exporter_price_hat: Floats
    quantity_hat: Floats
    value: Floats
    revenue_base: Floats
    revenue: Floats
    landed_base: Floats
    landed: Floats
    creation: Floats
    diversion: Floats
    price_effect: Floats
    supplier_surplus: Floats
    products: Ints
    buyer_surplus: Floats
    terms_of_trade: Floats
    welfare: Floats
    deadweight_loss: Floats
    import_price_hat: Floats
    import_quantity_hat: Floats
    domestic_quantity_hat: Floats
    domestic_supplier_surplus: Floats
    status: Ints


@dataclass(frozen=True, slots=True)
class _SolverInput:
    """Checked inputs in the layout of the kernels."""

    groups: Groups
    v0: Floats
    rates: Floats
    w: Floats
    freight: Floats
    parameters: Floats

    @property
    def inputs(self) -> tuple[Ints, Ints, Floats, Floats, Floats, Floats, Floats]:
        """Arguments common to the Armington kernels, after the range of products."""
        groups = self.groups
        return (
            groups.order,
            groups.offsets,
            self.v0,
            self.rates,
            self.w,
            self.freight,
            self.parameters,
        )


def _problem(
    product: ArrayLike,
    v0: ArrayLike,
    t0: ArrayLike,
    t1: ArrayLike,
    sigma: ArrayLike,
    eta: ArrayLike,
    supply: ArrayLike,
    freight: ArrayLike,
    kappa: ArrayLike | None,
    domestic: ArrayLike | None,
    supply_domestic: ArrayLike,
) -> _SolverInput:
    if domestic is not None and kappa is None:
        raise invalid("kappa", "domestic shipments are given without kappa.", fix="Give kappa as well.")
    size = np.size(v0)
    value = per_line("v0", v0, size, VALUE)
    base = per_line("t0", t0, size, RATE)
    rate = per_line("t1", t1, size, RATE)
    w = frozen(1.0 / per_line("supply", supply, size, SUPPLY))
    charge = per_line("freight", freight, size, VALUE)
    groups = group_lines(product, size, value, base, rate, w, charge)
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
    return _SolverInput(groups, value, frozen(np.stack([base, rate])), w, charge, frozen(parameters))


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
    problem = _problem(product, v0, t0, t1, sigma, eta, supply, freight, kappa, domestic, supply_domestic)
    return _answer(problem, threads)


def _answer(problem: _SolverInput, threads: int) -> ArmingtonResponse:
    from tariffs.engine.response.kernels.armington import armington_accounts, armington_prices

    products_count = problem.groups.products.size
    hats = np.empty((3, problem.v0.size))
    nests = np.empty((products_count, 3))
    status = np.empty(products_count, dtype=np.int64)
    lines = np.empty((9, problem.v0.size))
    products = np.empty((8, products_count))

    def solve_prices(first: int, last: int) -> None:
        armington_prices(first, last, *problem.inputs, hats, nests, status)

    def compute_accounts(first: int, last: int) -> None:
        armington_accounts(first, last, *problem.inputs, hats, nests, status, lines, products)

    over_products(solve_prices, problem.groups.offsets, threads)
    bounded(hats)
    over_products(compute_accounts, problem.groups.offsets, threads)
    return ArmingtonResponse(
        **named(HATS, hats),
        **named(LINE_AMOUNTS, lines),
        **named(_PRODUCT_FIELDS, products),
        products=problem.groups.products,
        status=status,
    )
