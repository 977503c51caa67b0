"""World Bank / UNCTAD SMART response, for reports comparable with WITS. See docs/models/smart.md."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike

from tariffs.engine.response.inputs import (
    ELASTICITY,
    LINE_FIELDS,
    NEGATIVE,
    SUPPLY,
    Floats,
    Ints,
    LineResponse,
    frozen,
    group_lines,
    named,
    over_products,
    per_line,
    read_trade,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SmartResponse(LineResponse):
    """Result of `smart`; fields as in `ArmingtonResponse`, all first order.

    `value` is v0 + creation + diversion + price effect. `welfare` is the change of the deadweight triangles
    and leaves the terms of trade out, `deadweight_loss` is its negative, `import_price_hat` is a mean with
    landed weights of the baseline. There is no buyer surplus.
    """

    terms_of_trade: Floats
    welfare: Floats
    deadweight_loss: Floats
    import_price_hat: Floats
    import_quantity_hat: Floats
    products: Ints
    buyer_surplus: None = None


_PRODUCT_FIELDS = [one.name for one in fields(SmartResponse)][len(LINE_FIELDS) : -2]


def smart(
    product: ArrayLike,
    v0: ArrayLike,
    t0: ArrayLike,
    t1: ArrayLike,
    import_elasticity: ArrayLike,
    sigma: ArrayLike,
    *,
    supply: ArrayLike = np.inf,
    threads: int = 1,
) -> SmartResponse:
    """Respond to a change of duty by the linear formulas of SMART.

    Args:
        product: an integer per line; lines of one product substitute for each other.
        v0: customs value at the baseline, USD, per line.
        t0: duty rate at the baseline, a fraction > -1, scalar or per line.
        t1: duty rate of the scenario, likewise.
        import_elasticity: of demand for imports, <= 0, scalar or one per product in the order of sorted ids.
        sigma: substitution between origins, >= 0, likewise; 1.5 is usual.
        supply: export supply elasticity, > 0, scalar or per line; where WITS says 99, give infinity.
        threads: threads to use; the result has the same bits on any number.

    Raises:
        InputError: PARAMETER_INVALID with the line or product at fault.
    """
    from tariffs.engine.response.kernels.direct import smart_products

    value, rates = read_trade(v0, t0, t1)
    size = value.size
    w = frozen(1.0 / per_line("supply", supply, size, SUPPLY))
    groups = group_lines(product, size, value, *rates, w)
    demand = groups.per_product("import_elasticity", import_elasticity, NEGATIVE)
    parameters = frozen(np.column_stack([demand, groups.per_product("sigma", sigma, ELASTICITY)]))
    lines = np.empty((12, size))
    products = np.empty((5, groups.products.size))

    def work(first: int, last: int) -> None:
        smart_products(
            first, last, groups.order, groups.offsets, value, rates, w, parameters, lines, products
        )

    over_products(work, groups.offsets, threads)
    by_product = named(_PRODUCT_FIELDS, products)
    return SmartResponse(**named(LINE_FIELDS, lines), **by_product, products=groups.products)
