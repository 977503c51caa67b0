"""Trade volume after the response, from duties per line to varieties and back.

A variety is a (product, origin); its rate is the value-weighted mean of its lines. Lines of a variety
share its price and quantity hats, and a line's duty after is its own rate on its value after (design:
Baseline and response).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tariffs.engine.duties import Duties
from tariffs.engine.lineset import F64, I64
from tariffs.engine.numbers import ratio, sums_of
from tariffs.engine.response import armington, passthrough, smart
from tariffs.engine.response.parameters import ProductParameters
from tariffs.engine.tables import PreparedTable


@dataclass(frozen=True)
class Volume:
    """Per line: value after in dollars, quantity hat, creation and diversion; per product: surplus and
    welfare.

    Surplus and welfare are NaN where a model does not give them.
    """

    value: F64
    quantity_hat: F64
    creation: F64
    diversion: F64
    product_of_line: I64
    buyer_surplus: F64
    welfare: F64


@dataclass(frozen=True)
class _Varieties:
    """Varieties of a table: the variety of each line, and per variety its product and value."""

    of_line: I64
    product: I64
    value: F64

    def mean_rate(self, duty: F64) -> F64:
        """The rate of each variety, from duty per line; 0 where there is no value."""
        return ratio(sums_of(self.of_line, duty, len(self.value)), self.value, 0.0)


def respond(
    table: PreparedTable, base: Duties, response: str, parameters: ProductParameters
) -> Callable[[Duties], Volume]:
    """A function from a scenario's duties to volumes, responding from the baseline.

    Args:
        table: the table.
        base: duties at the baseline.
        response: armington, passthrough or smart.
        parameters: sigma, eta and supply per product code of the table.
    """
    lines = table.lines
    product_of_line = table.product_of_line
    key = product_of_line * len(lines.origins) + lines.origin
    distinct, of_line = np.unique(key, return_inverse=True)
    value = sums_of(of_line, lines.value, len(distinct))
    varieties = _Varieties(of_line, distinct // len(lines.origins), value)
    t0 = varieties.mean_rate(base.duty)
    model = _MODELS[response]

    def volume(duties: Duties) -> Volume:
        result = model(varieties.product, value, t0, varieties.mean_rate(duties.duty), parameters)
        return _to_lines(table, varieties, result, len(parameters.sigma))

    return volume


def _armington(product: I64, v0: F64, t0: F64, t1: F64, p: ProductParameters) -> Any:
    return armington(product, v0, t0, t1, p.sigma, p.eta, supply=p.supply[product])


def _passthrough(product: I64, v0: F64, t0: F64, t1: F64, p: ProductParameters) -> Any:
    return passthrough(v0, t0, t1, p.eta[product], supply=p.supply[product])


def _smart(product: I64, v0: F64, t0: F64, t1: F64, p: ProductParameters) -> Any:
    return smart(product, v0, t0, t1, -p.eta, p.sigma, supply=p.supply[product])


_MODELS: dict[str, Callable[[I64, F64, F64, F64, ProductParameters], Any]] = {
    "armington": _armington,
    "passthrough": _passthrough,
    "smart": _smart,
}


def _to_lines(table: PreparedTable, varieties: _Varieties, result: Any, products: int) -> Volume:
    v0, of_line = table.lines.value, varieties.of_line
    share = ratio(v0, varieties.value[of_line], 0.0)
    return Volume(
        value=result.value[of_line] * share,
        quantity_hat=result.quantity_hat[of_line],
        creation=result.creation[of_line] * share,
        diversion=result.diversion[of_line] * share,
        product_of_line=table.product_of_line,
        buyer_surplus=_per_product(result.buyer_surplus, varieties.product, products),
        welfare=_per_product(result.welfare, varieties.product, products),
    )


def _per_product(values: F64 | None, product: I64, products: int) -> F64:
    """Values per product, summed if a model gives them per variety."""
    if values is None:
        return np.full(products, np.nan)
    return values if len(values) == products else sums_of(product, values, products)
