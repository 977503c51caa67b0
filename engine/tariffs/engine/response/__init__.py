"""Response of trade to duties: four models, their parameters and their accounts.

Importing this package loads no compiled kernel; a model does when it runs.
"""

from __future__ import annotations

from tariffs.engine.response.accounting import (
    EffectiveRates,
    LogSplit,
    PriceIndices,
    RevenueChange,
    ces_price,
    effective_rates,
    log_split,
    price_indices,
    realised_rate,
    restrictiveness,
    retail_price_change,
    revenue_change,
)
from tariffs.engine.response.armington import (
    STATUS,
    ArmingtonHats,
    ArmingtonResponse,
    armington,
    armington_hats,
    armington_runs,
)
from tariffs.engine.response.draws import DrawnParameters, Draws, Spreads, drawn_parameters
from tariffs.engine.response.gsim import GsimResponse, gsim
from tariffs.engine.response.models import MODELS, Model
from tariffs.engine.response.parameters import (
    BOUNDS,
    HORIZONS,
    Elasticities,
    ProductParameters,
    parameters_for,
    sector_elasticities,
    sigma_at,
)
from tariffs.engine.response.passthrough import FORMS, PassthroughResponse, passthrough
from tariffs.engine.response.smart import SmartResponse, smart

__all__ = [
    "BOUNDS",
    "FORMS",
    "HORIZONS",
    "MODELS",
    "STATUS",
    "ArmingtonHats",
    "ArmingtonResponse",
    "DrawnParameters",
    "Draws",
    "EffectiveRates",
    "Elasticities",
    "GsimResponse",
    "LogSplit",
    "Model",
    "PassthroughResponse",
    "PriceIndices",
    "ProductParameters",
    "RevenueChange",
    "SmartResponse",
    "Spreads",
    "armington",
    "armington_hats",
    "armington_runs",
    "ces_price",
    "drawn_parameters",
    "effective_rates",
    "gsim",
    "log_split",
    "parameters_for",
    "passthrough",
    "price_indices",
    "realised_rate",
    "restrictiveness",
    "retail_price_change",
    "revenue_change",
    "sector_elasticities",
    "sigma_at",
    "smart",
]
