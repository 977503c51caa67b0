"""Look up the elasticities of the products of a table for the options of a run."""

from __future__ import annotations

from tariffs.engine.response.adjustment_profile import path_parameters_for
from tariffs.engine.response.models import MODELS
from tariffs.engine.response.parameters import PATH, SETS, ProductParameters, parameters_for
from tariffs.engine.runs.options import Options
from tariffs.engine.tables.prepare import PreparedTable


def product_parameters(prepared: PreparedTable, options: Options) -> ProductParameters:
    """Look up the elasticities of the products; those of no user's file are kept with the table."""
    kept = prepared.lines.cache.setdefault("parameters", {})
    name = options.parameters or MODELS[options.response].set
    key = (options.horizon, name)
    if key in kept:
        parameters: ProductParameters = kept[key]
        return parameters
    products, importers = prepared.products, prepared.market_of_product
    found = (
        path_parameters_for(products, set=name or None, importers=importers)
        if options.horizon == PATH
        else parameters_for(products, horizon=options.horizon, set=name or None, importers=importers)
    )
    if name in {"", *SETS}:
        kept[key] = found
    return found
