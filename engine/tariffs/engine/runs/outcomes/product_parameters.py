"""Look up the elasticities of the products of a table for the options of a run."""

from __future__ import annotations

from dataclasses import replace

from tariffs.engine.response.elasticities.adjustment_profile import path_parameters_for
from tariffs.engine.response.elasticities.parameters import (
    IMPACT,
    PATH,
    SETS,
    SHORT,
    ProductParameters,
    parameters_for,
)
from tariffs.engine.response.elasticities.thetas import THETAS, theta_parameters_for
from tariffs.engine.response.models.model_facts import MODELS
from tariffs.engine.response.trade.hat_response import EXACT_HAT
from tariffs.engine.response.trade.trade_response import ARMINGTON
from tariffs.engine.runs.options import Options
from tariffs.engine.tables.prepare import PreparedTable


def product_parameters(prepared: PreparedTable, options: Options) -> ProductParameters:
    """Look up the elasticities of the products; those of no user's file are kept with the table."""
    kept = prepared.lines.cache.setdefault("parameters", {})
    name = options.parameter_set or MODELS[options.response].set
    key = (options.response == EXACT_HAT, options.horizon, name)
    if key in kept:
        parameters: ProductParameters = kept[key]
        return parameters
    found = _looked_up(prepared, options, name or None)
    if name in {"", THETAS, *SETS}:
        kept[key] = found
    return found


def prohibition_parameters(prepared: PreparedTable, options: Options) -> ProductParameters | None:
    """Look up the least elasticities under a prohibition where those of the horizon are lower; None at other horizons.

    Goods that are not to be had are replaced at once: the low elasticities of the first months are of dearer goods.
    """
    if options.horizon != IMPACT or options.response != ARMINGTON:
        return None
    return product_parameters(prepared, replace(options, horizon=SHORT))


def _looked_up(prepared: PreparedTable, options: Options, name: str | None) -> ProductParameters:
    products, importers = prepared.products, prepared.market_of_product
    if options.response == EXACT_HAT:
        return theta_parameters_for(products, set=None if name == THETAS else name)
    if options.horizon == PATH:
        return path_parameters_for(products, set=name, importers=importers)
    return parameters_for(products, horizon=options.horizon, set=name, importers=importers)
