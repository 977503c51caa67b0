"""Compute welfare under other models of trade, beside the range of a run over draws of elasticities."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import polars as pl

from tariffs.client.errors import Cancelled, TariffsError
from tariffs.client.results.impact import ImpactResult
from tariffs.run_spec.spec import OPTIONS

MODELS: Mapping[str, Mapping[str, str]] = {
    "Armington, each product by itself": {"response": "armington", "market": "product"},
    "Armington, sectors of products": {"response": "armington", "market": "sector"},
    "GSIM": {"response": "gsim", "market": "product"},
    "exact hat, one general equilibrium in the long run": {"response": "exact_hat", "market": "product"},
}
_OF_THE_RUN = ("draws", "seed", "attribute", "consumer_prices", "include_lines", "memory", "trend")


def model_spread(
    result: ImpactResult, options: Mapping[str, Any], run: Callable[..., ImpactResult]
) -> pl.DataFrame:
    """Compute welfare of a run under each model that can be computed with its options, its own one first.

    What cannot be computed is left out; `run` computes the same scenarios on the same table, in total, under options.

    Returns:
        Rows of `scenario, on, model, welfare` (USD) and `run_digest`.
    """
    own = {name: options.get(name) or OPTIONS[name].default for name in ("response", "market")}
    names = {tuple(one.values()): name for name, one in MODELS.items()}
    found = {names.get(tuple(own.values()), own["response"]): result}
    kept = {name: value for name, value in options.items() if name not in _OF_THE_RUN}
    for name, model in MODELS.items():
        if name not in found:
            try:
                found[name] = run(**{**kept, **model})
            except Cancelled:
                raise
            except (
                TariffsError
            ):  # such as a model that does not go with an option: the run itself has its answer
                continue
    rows = [
        one.total.select(
            "scenario", "on", pl.lit(name).alias("model"), "welfare",
            pl.lit(str(one.provenance.get("run_digest"))).alias("run_digest"),
        )
        for name, one in found.items()
    ]  # fmt: skip
    return pl.concat(rows).filter(pl.col("welfare").is_not_null())
