"""SimulationService.CompareTrade: forecasts of imports beside what was imported."""

from __future__ import annotations

import polars as pl

from tariffs.engine.validation import hindcast
from tariffs.service.rpc.checks import word
from tariffs.service.rpc.laws import LAWS
from tariffs.service.wire import arrow
from tariffs.service.wire.status import Cancelled
from tariffs.v1 import simulation_service_pb2 as pb


def compare(request: pb.CompareTradeRequest, cancelled: Cancelled) -> pb.CompareTradeResponse:
    """Compare forecasts with imports: scores, partners, and the facts of boards and parameters.

    Raises:
        TariffsError: PARAMETER_INVALID for a day without a board; CANCELLED.
    """
    law, known_on = LAWS.named(request.law_version), word(request.known_on, "known_on")
    found = hindcast.compare_trade(law=law, known_on=known_on, cancelled=cancelled).to_dict()
    scores, partners = (
        next(arrow.batches(pl.DataFrame(found.pop(name), infer_schema_length=None)))
        for name in ("scores", "partners")
    )
    answer = pb.CompareTradeResponse(scores=scores, partners=partners)
    answer.facts.update(found)
    return answer
