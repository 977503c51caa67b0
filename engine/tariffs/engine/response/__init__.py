"""Response of trade to duties: six models, their parameters and draws of these.

Importing this package loads no compiled kernel; a model does when it runs.
"""

from __future__ import annotations

from tariffs.engine.response.elasticities.adjustment_profile import sigma_at
from tariffs.engine.response.elasticities.draws import Draws, Spreads, drawn_parameters
from tariffs.engine.response.elasticities.parameters import (
    BOUNDS,
    Elasticities,
    ProductParameters,
    parameters_for,
)
from tariffs.engine.response.elasticities.thetas import theta_parameters_for
from tariffs.engine.response.models.armington import STATUS, ArmingtonResponse, armington
from tariffs.engine.response.models.exact_hat import ExactHatResponse, exact_hat
from tariffs.engine.response.models.gsim import GsimImports, GsimResponse, gsim, gsim_imports
from tariffs.engine.response.models.model_facts import MODELS
from tariffs.engine.response.models.passthrough_smart import (
    FORMS,
    PassthroughResponse,
    SmartResponse,
    passthrough,
    smart,
)
from tariffs.engine.response.sectors.market import MarketResponse, market

__all__ = [
    "BOUNDS",
    "FORMS",
    "MODELS",
    "STATUS",
    "ArmingtonResponse",
    "Draws",
    "Elasticities",
    "ExactHatResponse",
    "GsimImports",
    "GsimResponse",
    "MarketResponse",
    "PassthroughResponse",
    "ProductParameters",
    "SmartResponse",
    "Spreads",
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
