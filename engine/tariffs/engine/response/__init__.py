"""Response of trade to duties: six models, their parameters and draws of these.

Importing this package loads no compiled kernel; a model does when it runs.
"""

from __future__ import annotations

from tariffs.engine.response.adjustment_profile import sigma_at
from tariffs.engine.response.armington import STATUS, ArmingtonResponse, armington
from tariffs.engine.response.draws import DrawnParameters, Draws, Spreads, drawn_parameters
from tariffs.engine.response.exact_hat import ExactHatResponse, exact_hat
from tariffs.engine.response.gsim import GsimImports, GsimResponse, gsim, gsim_imports
from tariffs.engine.response.market import MarketResponse, market
from tariffs.engine.response.models import MODELS, Model
from tariffs.engine.response.parameters import (
    BOUNDS,
    HORIZONS,
    Elasticities,
    ProductParameters,
    parameters_for,
)
from tariffs.engine.response.passthrough import FORMS, PassthroughResponse, passthrough
from tariffs.engine.response.smart import SmartResponse, smart
from tariffs.engine.response.thetas import ThetaParameters, theta_parameters_for

__all__ = [
    "BOUNDS",
    "FORMS",
    "HORIZONS",
    "MODELS",
    "STATUS",
    "ArmingtonResponse",
    "DrawnParameters",
    "Draws",
    "Elasticities",
    "ExactHatResponse",
    "GsimImports",
    "GsimResponse",
    "MarketResponse",
    "Model",
    "PassthroughResponse",
    "ProductParameters",
    "SmartResponse",
    "Spreads",
    "ThetaParameters",
    "armington",
    "drawn_parameters",
    "exact_hat",
    "gsim",
    "gsim_imports",
    "market",
    "parameters_for",
    "passthrough",
    "sigma_at",
    "smart",
    "theta_parameters_for",
]
