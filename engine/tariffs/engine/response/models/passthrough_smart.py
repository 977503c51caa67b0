"""Responses without a price solution: demand line by line (passthrough), and World Bank / UNCTAD SMART.

See docs/models/passthrough.md and docs/models/smart.md; SMART is for reports comparable with WITS.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from tariffs.engine.response.inputs import (
    ELASTICITY,
    LINE_FIELDS,
    NEGATIVE,
    SHARE,
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

Form = Literal["ces", "linear", "logpoint", "midpoint"]
FORMS: tuple[Form, ...] = ("ces", "linear", "logpoint", "midpoint")
_WELFARE = ("buyer_surplus", "terms_of_trade", "welfare", "deadweight_loss")
_EXACT = ("buyer_surplus", "welfare", "deadweight_loss")
"""Fields that only CES demand has a formula for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PassthroughResponse(LineResponse):
    """Result of `passthrough`, all per line; fields as in `ArmingtonResponse`.

    `diversion` is 0 throughout. `buyer_surplus`, `welfare` and `deadweight_loss` are None unless the form is
    ces, whose demand has an exact surplus.
    """

    form: Form
    buyer_surplus: Floats | None
    terms_of_trade: Floats
    welfare: Floats | None
    deadweight_loss: Floats | None


def passthrough(
    v0: ArrayLike,
    t0: ArrayLike,
    t1: ArrayLike,
    elasticity: ArrayLike,
    *,
    form: Form = "ces",
    theta: ArrayLike | None = None,
    supply: ArrayLike | None = None,
    freight: ArrayLike = 0.0,
) -> PassthroughResponse:
    """Respond to a change of duty, each line separately.

    Args:
        v0, t0, t1, freight: customs value, rates and fixed cost as in `armington`.
        elasticity: of demand for the line, >= 0, scalar or per line.
        form: shape of demand: ces (arc), linear, logpoint or midpoint.
        theta: log pass-through of the duty into the landed price, 0 to 1, scalar or per line; by default implied
            by supply and elasticity.
        supply: export supply elasticity, > 0, flat by default. With a theta it only values the suppliers'
            surplus, which otherwise uses the elasticity implied by theta.

    Raises:
        InputError: PARAMETER_INVALID with the line at fault, or for an unknown form.
    """
    from tariffs.engine.response.kernels.direct import passthrough_lines

    if form not in FORMS:
        raise invalid("form", f"{form!r} is not a form of demand.", fix=f"Use {', '.join(FORMS)}.")
    value, rates = read_trade(v0, t0, t1)
    size = value.size
    demand = per_line("elasticity", elasticity, size, ELASTICITY)
    eps = per_line("supply", np.inf if supply is None else supply, size, SUPPLY)
    if theta is None:
        passed = frozen(1.0 / (1.0 + demand / eps))
    else:
        passed = per_line("theta", theta, size, SHARE)
        if supply is None:
            # The supply at which demand gives this pass-through.
            with np.errstate(divide="ignore", invalid="ignore"):
                eps = frozen(np.where(passed < 1.0, passed * demand / (1.0 - passed), np.inf))
    charge = per_line("freight", freight, size, VALUE)
    lines = np.empty((16, size))
    passthrough_lines(0, size, value, rates, demand, passed, eps, charge, FORMS.index(form), lines)
    bounded(lines[:3])
    fields = named((*LINE_FIELDS, *_WELFARE), lines)
    if form != "ces":
        fields |= dict.fromkeys(_EXACT)
    return PassthroughResponse(form=form, **fields)


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
        product, v0, t0, t1, threads: as in `armington`.
        import_elasticity: of demand for imports, <= 0, scalar or one per product in the order of sorted ids.
        sigma: substitution between origins, >= 0, likewise; 1.5 is usual.
        supply: export supply elasticity, > 0, scalar or per line; where WITS says 99, give infinity.

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
