"""Elasticities and closures of the world models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tariffs.engine.base.array_utils import F64
from tariffs.engine.errors import InputError

INCOME_TAX = "income_tax"
REBATES = (INCOME_TAX, "lump_sum")
TRANSFERS, BALANCED, ZERO = DEFICITS = ("transfers", "balanced_with_us", "zero")
_EPS, _SCALE = 4.0, 0.67
LEAST_RATE = -0.99
"""Least tariff that a law gives, a fraction: one of -100 % has no equilibrium."""


def check(name: str, value: Any, holds: bool, allowed: str) -> None:
    """Refuse a value of a parameter that is not allowed.

    Raises:
        InputError: PARAMETER_INVALID.
    """
    if not holds:
        raise InputError(
            "PARAMETER_INVALID", f"{name} is {value!r}.", field=name, fix=f"Give a value {allowed}."
        )


@dataclass(frozen=True, kw_only=True)
class OneSectorParameters:
    """Parameters of the model of one sector; the defaults are those of the published baseline.

    Attributes:
        elasticity: trade elasticity (eps), > 0.
        labour: elasticity of labour supply to the real wage (kappa), >= 0.
        scale: elasticity of productivity to employment (psi), >= 0; it stays when `elasticity` changes.
        firm_elasticity: elasticity between the goods of firms (theta), > 0; it stays when `elasticity` changes.
        pass_through: pass-through of tariffs to consumers (phi~); 1 is the baseline, 0.25 the published variant.
        destination_share: share of a sale that stays with its destination (nu) everywhere, in [0, 1); None: the two
            values of the table.
        price_elasticity: elasticity of consumer prices to tariffs (phi) everywhere; None: from `pass_through` and nu.
        rebate: `income_tax` lowers the tax on labour by the tariff revenue, `lump_sum` hands it out.
        deficits: `transfers` keeps each deficit a fixed share of world income, `balanced_with_us` takes each country's
            bilateral balance with the home country off it, `zero` begins from a world without deficits.
    """

    elasticity: float = _EPS
    labour: float = 0.5
    scale: float = _SCALE / _EPS
    firm_elasticity: float = _EPS / _SCALE
    pass_through: float = 1.0
    destination_share: float | None = None
    price_elasticity: float | None = None
    rebate: str = INCOME_TAX
    deficits: str = TRANSFERS

    def __post_init__(self) -> None:
        """Check ranges and names.

        Raises:
            InputError: PARAMETER_INVALID.
        """
        check("elasticity", self.elasticity, 0.0 < self.elasticity < np.inf, "above 0")
        check("firm_elasticity", self.firm_elasticity, 0.0 < self.firm_elasticity < np.inf, "above 0")
        for name in ("labour", "scale"):
            check(name, getattr(self, name), 0.0 <= getattr(self, name) < np.inf, "0 or more")
        share = self.destination_share
        check("destination_share", share, share is None or 0.0 <= share < 1.0, "from 0 to below 1")
        check("rebate", self.rebate, self.rebate in REBATES, " or ".join(REBATES))
        check("deficits", self.deficits, self.deficits in DEFICITS, " or ".join(DEFICITS))

    def phi(self, destination_share: F64) -> F64:
        """Compute the elasticity of consumer prices to tariffs by country, from nu."""
        if self.price_elasticity is not None:
            return np.full(len(destination_share), self.price_elasticity)
        theta = self.firm_elasticity
        return self.pass_through + (1.0 + theta) / ((1.0 - destination_share) * theta) - 1.0 / theta - 1.0


EATON_KORTUM_KRUGMAN = OneSectorParameters(destination_share=0.0, price_elasticity=1.0)
"""Published variant without shares of destinations and with full pass-through: nu = 0, phi = 1."""
