"""Global simulation model (GSIM) of Francois and Hall (2003), linear. See docs/models/gsim.md."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tariffs.engine.base.array_utils import ratio, sums_of
from tariffs.engine.response.inputs import (
    ELASTICITY,
    MOST,
    NEGATIVE,
    SUPPLY,
    VALUE,
    Floats,
    Ints,
    Range,
    group_lines,
    invalid,
    per_line,
    read_trade,
)

_POWER = Range(0.0, above=True)
_FINITE_SUPPLY = Range(0.0, MOST, above=True)


@dataclass(frozen=True, slots=True)
class GsimResponse:
    """Result of `gsim` for regions 1..R; matrices have exporters in rows and importers in columns.

    Attributes:
        price_hat: world price of each exporter, after / before.
        quantity_hat: quantity of each flow; 1 where there is no trade.
        value: value of each flow at world prices after.
        import_price_hat: price index of each importer, by baseline shares at internal prices.
        revenue_base, revenue: duty of each importer.
        supplier_surplus: change for each exporter.
        buyer_surplus: change for each importer, exact for linear demand.
        buyer_surplus_published: the same in the published form, which overstates losses.
        welfare: supplier surplus + buyer surplus + change of revenue, of each region.
    """

    price_hat: Floats
    quantity_hat: Floats
    value: Floats
    import_price_hat: Floats
    revenue_base: Floats
    revenue: Floats
    supplier_surplus: Floats
    buyer_surplus: Floats
    buyer_surplus_published: Floats
    welfare: Floats


def _matrix(name: str, values: ArrayLike, regions: int, allowed: Range) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    if array.shape != (regions, regions):
        raise invalid(name, f"{name} has shape {array.shape}; it must be {regions} by {regions}.")
    broken = allowed.broken(array)
    if broken.any():
        row, column = np.argwhere(broken)[0]
        why = f"exporter {row}, importer {column}: {name} is {array[row, column]:g}."
        raise invalid(name, why, fix=f"It must be {allowed}.", exporter=row, importer=column)
    return array


def _shares(values: Floats, axis: int) -> Floats:
    """Compute shares along an axis; 0 where the total is 0."""
    total = values.sum(axis=axis, keepdims=True)
    return ratio(values, np.broadcast_to(total, values.shape), 0.0)


def gsim(
    flows: ArrayLike,
    power0: ArrayLike,
    power1: ArrayLike,
    import_elasticity: ArrayLike,
    supply: ArrayLike,
    substitution: ArrayLike,
) -> GsimResponse:
    """Clear the world market of one good among regions after tariffs change.

    Args:
        flows: value of trade at world prices, exporters by importers, trade with itself on the diagonal.
        power0: 1 + tariff of each flow before.
        power1: the same after.
        import_elasticity: of each importer's composite demand, <= 0, scalar or per region.
        supply: of each exporter, > 0, scalar or per region.
        substitution: between origins in each importer, >= 0, scalar or per region.

    Raises:
        InputError: PARAMETER_INVALID with the flow or region at fault.
    """
    regions = np.shape(flows)[0] if np.ndim(flows) == 2 else 0
    m = _matrix("flows", flows, regions, VALUE)
    before = _matrix("power0", power0, regions, _POWER)
    after = _matrix("power1", power1, regions, _POWER)
    demand = per_line("import_elasticity", import_elasticity, regions, NEGATIVE, "region")
    export = per_line("supply", supply, regions, _FINITE_SUPPLY, "region")
    between = per_line("substitution", substitution, regions, ELASTICITY, "region")

    share_in_imports = _shares(m * before, 0)
    share_in_exports = _shares(m, 1)
    tau = after / before - 1.0
    # dq of a flow is -Es times its own price change plus (Em + Es) times the mean of all, so both terms of
    # the own and cross elasticities of the paper are in one matrix.
    mixed = share_in_imports * (demand + between)
    excess = share_in_exports @ mixed.T - np.diag(share_in_exports @ between)
    push = (share_in_exports * ((mixed * tau).sum(axis=0) - between * tau)).sum(axis=1)
    change = np.linalg.solve(np.diag(export) - excess, push)

    internal = change[:, None] + tau
    quantity = np.where(m > 0.0, 1.0 - between * internal + (mixed * internal).sum(axis=0), 1.0)
    value = m * quantity * (1.0 + change)[:, None]
    index = (share_in_imports * ((1.0 + change)[:, None] * after / before - 1.0)).sum(axis=0)
    spending = (m * before).sum(axis=0)
    curve = 0.5 * demand * index**2
    buyers = -spending * (index + curve)
    suppliers = m.sum(axis=1) * change * (1.0 + 0.5 * export * change)
    revenue_base = (m * (before - 1.0)).sum(axis=0)
    revenue = (value * (after - 1.0)).sum(axis=0)
    return GsimResponse(
        price_hat=1.0 + change,
        quantity_hat=quantity,
        value=value,
        import_price_hat=1.0 + index,
        revenue_base=revenue_base,
        revenue=revenue,
        supplier_surplus=suppliers,
        buyer_surplus=buyers,
        buyer_surplus_published=spending * (curve * np.sign(index) - index),
        welfare=suppliers + buyers + revenue - revenue_base,
    )


@dataclass(frozen=True, slots=True)
class GsimImports:
    """Result of `gsim_imports`; fields as in `ArmingtonResponse`, all linear.

    `quantity_hat`, `exporter_price_hat`, `value`, `creation` and `diversion` are per line, the others per product in
    the order of `products`, the sorted ids. `welfare` is the importer's: buyer surplus + change of revenue.
    """

    exporter_price_hat: Floats
    quantity_hat: Floats
    value: Floats
    creation: Floats
    diversion: Floats
    products: Ints
    import_price_hat: Floats
    buyer_surplus: Floats
    supplier_surplus: Floats
    welfare: Floats


def gsim_imports(
    product: ArrayLike,
    v0: ArrayLike,
    t0: ArrayLike,
    t1: ArrayLike,
    import_elasticity: ArrayLike,
    substitution: ArrayLike,
    *,
    supply: ArrayLike = np.inf,
) -> GsimImports:
    """Clear the markets of many goods in one importer, with the equations of `gsim`.

    The other markets of the exporters are left out, so `supply` is that of exports to this importer and may be
    infinite. Quantities and exporters' prices stop at 0, which linear equations would pass.

    Args:
        product, v0, t0, t1: products, customs value and rates as in `armington`.
        import_elasticity: of the composite of a product, <= 0, scalar or one per product in the order of sorted ids.
        substitution: between origins, >= 0, likewise.
        supply: export supply elasticity, > 0, likewise.

    Raises:
        InputError: PARAMETER_INVALID with the line or product at fault.
    """
    value, (base, rate) = read_trade(v0, t0, t1)
    groups = group_lines(product, value.size)
    demand = groups.per_product("import_elasticity", import_elasticity, NEGATIVE)
    between = groups.per_product("substitution", substitution, ELASTICITY)
    inverse = 1.0 / groups.per_product("supply", supply, SUPPLY)
    count = groups.products.size
    place = np.searchsorted(groups.products, np.asarray(product))

    def summed(values: Floats) -> Floats:
        return sums_of(place, values, count)

    internal = value * (1.0 + base)
    spending = summed(internal)
    share = ratio(internal, spending[place], 0.0)
    tau = (rate - base) / (1.0 + base)
    # The market clears where the composite's price is the mean duty over 1 - Em / Ex.
    composite = summed(share * tau) / (1.0 - demand * inverse)
    pull = ((demand + between) * composite)[place]
    w, sigma = inverse[place], between[place]
    price = np.maximum(w * (pull - sigma * tau) / (1.0 + sigma * w), -1.0)
    quantity = np.where(value > 0.0, np.maximum(1.0 + pull - sigma * (price + tau), 0.0), 1.0)
    after = value * quantity * (1.0 + price)
    before_all, after_all = summed(value), summed(value * quantity)
    growth = ratio(after_all, before_all, 1.0)[place]
    index = summed(share * ((1.0 + price) * (1.0 + tau) - 1.0))
    buyers = -spending * (index + 0.5 * demand * index**2)
    curve = np.where(w > 0.0, 1.0 + 0.5 * price / np.where(w > 0.0, w, 1.0), 1.0)
    return GsimImports(
        exporter_price_hat=1.0 + price,
        quantity_hat=quantity,
        value=after,
        creation=value * (growth - 1.0),
        diversion=value * (quantity - growth),
        products=groups.products,
        import_price_hat=1.0 + index,
        buyer_surplus=buyers,
        supplier_surplus=summed(value * price * curve),
        welfare=buyers + summed(rate * after - base * value),
    )
