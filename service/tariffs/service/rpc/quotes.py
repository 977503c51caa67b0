"""Convert quotes to messages."""

from __future__ import annotations

from typing import Any

from tariffs.engine.law.stacking import APPLIED, DISPLACED, EXEMPT, PROHIBITED, SUSPENDED
from tariffs.engine.line_duty.entries import EntryTotal
from tariffs.engine.line_duty.entry_line import Charge
from tariffs.engine.line_duty.fees import LandedCost
from tariffs.engine.line_duty.quote import Quote, QuoteLayer
from tariffs.engine.line_duty.rounding import UNDETERMINED
from tariffs.engine.scenario import Scenario, scenario_facts
from tariffs.service.rpc.checks import value_of
from tariffs.service.rpc.shared import notes_of, provenance_of
from tariffs.v1 import common_pb2, duty_service_pb2
from tariffs.v1.duty_service_pb2 import CalculateDutyRequest, CalculateDutyResponse

STATES = {
    APPLIED: duty_service_pb2.LAYER_STATE_APPLIED,
    EXEMPT: duty_service_pb2.LAYER_STATE_EXEMPT,
    DISPLACED: duty_service_pb2.LAYER_STATE_DISPLACED,
    SUSPENDED: duty_service_pb2.LAYER_STATE_SUSPENDED,
    PROHIBITED: duty_service_pb2.LAYER_STATE_PROHIBITED,
    UNDETERMINED: duty_service_pb2.LAYER_STATE_UNDETERMINED,
}


def response_of(quote: Quote, scenario: Scenario, request: CalculateDutyRequest) -> CalculateDutyResponse:
    """Return the response to a request, with all its fields."""
    facts = {**quote.provenance, **scenario_facts([scenario])}
    return quote_message(quote, provenance_of(facts, request))


def quote_message(quote: Quote, provenance: common_pb2.Provenance) -> CalculateDutyResponse:
    """Convert a quote to a message."""
    return CalculateDutyResponse(
        **amounts_of(quote),
        missing_claims=quote.missing_claims,
        assumptions=quote.assumptions,
        landed=landed_of(quote.landed),
        layers=[_layer(layer) for layer in quote.layers],
        notes=notes_of(quote.notes),
        provenance=provenance,
        charges=[_charge(charge) for charge in quote.charges],
        prohibited=quote.prohibited,
    )


def amounts_of(total: Quote | EntryTotal) -> dict[str, Any]:
    """Format the four amounts of a quote or an entry."""
    return {name: f"{getattr(total, name):.2f}" for name in ("assessed", "owed", "min", "max")}


def landed_of(cost: LandedCost) -> dict[str, str]:
    """Format the parts of the landed cost."""
    return {name: f"{amount:.2f}" for name, amount in cost.as_dict().items()}


def _layer(layer: QuoteLayer) -> duty_service_pb2.Layer:
    return duty_service_pb2.Layer(
        measure=layer.measure,
        authority=layer.authority,
        heading=layer.heading,
        state=STATES[layer.state],
        rate=None if layer.rate is None else f"{layer.rate.normalize():f}",
        base=f"{layer.base:.2f}",
        amount=f"{layer.amount:.2f}",
        min=f"{layer.min:.2f}",
        max=f"{layer.max:.2f}",
        citations=layer.citations,
        why=layer.why,
    )


def _charge(charge: Charge) -> duty_service_pb2.Charge:
    return duty_service_pb2.Charge(
        kind=value_of(duty_service_pb2.ChargeKind, charge.kind),
        label=charge.label,
        base=None if charge.base is None else f"{charge.base:f}",
        amount=f"{charge.amount:.2f}",
    )
