"""Response of trade to duties: five models, their parameters and draws of these.

Importing this package loads no compiled kernel; a model does when it runs.
"""

from __future__ import annotations

from tariffs.engine.response.adjustment_profile import sigma_at
from tariffs.engine.response.armington import STATUS, ArmingtonResponse, armington, armington_solver
from tariffs.engine.response.draws import DrawnParameters, Draws, Spreads, drawn_parameters
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
    "GsimImports",
    "GsimResponse",
    "MarketResponse",
    "Model",
    "PassthroughResponse",
    "ProductParameters",
    "SmartResponse",
    "Spreads",
    "armington",
    "armington_solver",
    "drawn_parameters",
    "gsim",
    "gsim_imports",
    "market",
    "parameters_for",
    "passthrough",
    "sigma_at",
    "smart",
]
