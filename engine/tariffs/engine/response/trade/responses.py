"""Prepare the response of a table in the model of a run."""

from __future__ import annotations

from tariffs.engine.base.array_utils import F64
from tariffs.engine.law.law import Law
from tariffs.engine.response.elasticities.parameters import ProductParameters
from tariffs.engine.response.elasticities.thetas import ThetaParameters
from tariffs.engine.response.exchange_rate import NO_OFFSET
from tariffs.engine.response.sectors.sector_market import SECTOR, kept_market
from tariffs.engine.response.trade.hat_response import HatResponse
from tariffs.engine.response.trade.trade_response import Response
from tariffs.engine.response.trade.varieties import Varieties
from tariffs.engine.response.trade.variety_rates import VarietyRates
from tariffs.engine.table_duty.baseline_values import kept_at_baseline
from tariffs.engine.table_duty.duties import Duties
from tariffs.engine.tables.atoms import atoms_of
from tariffs.engine.tables.prepare import PreparedTable


def respond(
    table: PreparedTable,
    law: Law,
    base: Duties,
    response: str,
    parameters: ProductParameters,
    market: str,
    fx_offset: float = NO_OFFSET,
    prohibition: ProductParameters | None = None,
) -> Response:
    """Prepare the response of a table from the baseline.

    Args:
        table: the table.
        law: the law at the baseline.
        base: duties at the baseline.
        response: armington, passthrough, smart, gsim or exact_hat.
        parameters: elasticities per product code of the table; thetas of exact_hat.
        market: product or sector; sectors need armington.
        fx_offset: part of the mean rise of landed prices by duties that the exchange rate takes off.
        prohibition: least elasticities under a prohibition, where those of the horizon are lower.
    """
    sectors = kept_market(table, parameters) if market == SECTOR else None
    varieties = Varieties.of(table, atoms_of(law.claims, table.lines))
    base_rate = _base_rate(table, varieties, base)
    if isinstance(parameters, ThetaParameters):
        return HatResponse(table, varieties, base_rate, response, parameters, sectors, fx_offset)
    return Response(table, varieties, base_rate, response, parameters, sectors, fx_offset, prohibition)


def _base_rate(table: PreparedTable, varieties: Varieties, base: Duties) -> F64:
    """Rate of each variety at the baseline."""
    return kept_at_baseline("rates", table.lines, base, lambda: VarietyRates(base, varieties).rate)
