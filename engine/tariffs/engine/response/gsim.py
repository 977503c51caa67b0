"""Global simulation model (GSIM) of Francois and Hall (2003), linear. See docs/models/gsim.md."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tariffs.engine.response.inputs import ELASTICITY, MOST, NEGATIVE, VALUE, Floats, Range, invalid

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
        raise invalid(
            name,
            f"exporter {row}, importer {column}: {name} is {array[row, column]:g}.",
            fix=f"It must be {allowed}.",
            exporter=row,
            importer=column,
        )
    return array


def _vector(name: str, values: ArrayLike, regions: int, allowed: Range) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    if array.shape not in ((), (regions,)):
        raise invalid(name, f"{name} has shape {array.shape}; it must be one number or {regions}.")
    array = np.array(np.broadcast_to(array, (regions,)))
    broken = allowed.broken(array)
    if broken.any():
        region = int(np.argmax(broken))
        raise invalid(
            name,
            f"region {region}: {name} is {array[region]:g}.",
            fix=f"It must be {allowed}.",
            region=region,
        )
    return array


def _shares(values: Floats, axis: int) -> Floats:
    """Compute shares along an axis; 0 where the total is 0."""
    total = values.sum(axis=axis, keepdims=True)
    shares: Floats = np.divide(values, total, out=np.zeros_like(values), where=total > 0.0)
    return shares


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
    demand = _vector("import_elasticity", import_elasticity, regions, NEGATIVE)
    export = _vector("supply", supply, regions, _FINITE_SUPPLY)
    between = _vector("substitution", substitution, regions, ELASTICITY)

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
