"""Passthrough response: demand elasticity and pass-through line by line. See docs/models/passthrough.md."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from tariffs.engine.response.inputs import (
    ELASTICITY,
    LINE_FIELDS,
    SHARE,
    SUPPLY,
    VALUE,
    Floats,
    LineResponse,
    bounded,
    frozen,
    invalid,
    named,
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


def _implied_supply(theta: Floats, elasticity: Floats) -> Floats:
    """Compute the supply elasticity at which demand of that elasticity gives pass-through theta."""
    with np.errstate(divide="ignore", invalid="ignore"):
        implied: Floats = np.where(theta < 1.0, theta * elasticity / (1.0 - theta), np.inf)
    return implied


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
        v0: customs value at the baseline, USD, per line.
        t0: duty rate at the baseline, a fraction > -1, scalar or per line.
        t1: duty rate of the scenario, likewise.
        elasticity: of demand for the line, >= 0, scalar or per line.
        form: shape of demand: ces (arc), linear, logpoint or midpoint.
        theta: log pass-through of the duty into the landed price, 0 to 1, scalar or per line; by default implied
            by supply and elasticity.
        supply: export supply elasticity, > 0, flat by default. With a theta it only values the suppliers'
            surplus, which otherwise uses the elasticity implied by theta.
        freight: freight and other fixed cost per dollar of customs value, scalar or per line.

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
            eps = frozen(_implied_supply(passed, demand))
    charge = per_line("freight", freight, size, VALUE)
    lines = np.empty((16, size))
    passthrough_lines(0, size, value, rates, demand, passed, eps, charge, FORMS.index(form), lines)
    bounded(lines[:3])
    fields = named((*LINE_FIELDS, *_WELFARE), lines)
    if form != "ces":
        fields |= dict.fromkeys(_EXACT)
    return PassthroughResponse(form=form, **fields)
