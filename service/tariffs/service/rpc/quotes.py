"""Convert quotes to messages."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from typing import Any

from tariffs.engine.law.stacking import APPLIED, DISPLACED, EXEMPT, PROHIBITED, SUSPENDED
from tariffs.engine.line_duty.entries import EntryTotal
from tariffs.engine.line_duty.entry_line import Charge
from tariffs.engine.line_duty.fees import LandedCost
from tariffs.engine.line_duty.quote import Quote, QuoteLayer
from tariffs.engine.line_duty.rounding import UNDETERMINED
from tariffs.engine.line_duty.unapplied import UnappliedMeasure
from tariffs.engine.rating.fits import StackedRow
from tariffs.engine.scenario import Scenario
from tariffs.service.rpc.checks import value_of
from tariffs.service.rpc.shared import digest_of, notes_of
from tariffs.v1 import common_pb2, duty_service_pb2
from tariffs.v1.duty_service_pb2 import CalculateDutyRequest, CalculateDutyResponse

_PROVENANCES_KEPT = 1024
_FORMS_KEPT = 8192
"""Messages of layers, and of measures that did not apply, that answers share; one takes some 1 KB."""
_SHARED = ("law_version", "law_digest", "law_read_to", "engine_version")
_OF_THE_LINE = ("entry", "schedule")
_STATES = {
    APPLIED: duty_service_pb2.LAYER_STATE_APPLIED,
    EXEMPT: duty_service_pb2.LAYER_STATE_EXEMPT,
    DISPLACED: duty_service_pb2.LAYER_STATE_DISPLACED,
    SUSPENDED: duty_service_pb2.LAYER_STATE_SUSPENDED,
    PROHIBITED: duty_service_pb2.LAYER_STATE_PROHIBITED,
    UNDETERMINED: duty_service_pb2.LAYER_STATE_UNDETERMINED,
}


def response_of(quote: Quote, scenario: Scenario, request: CalculateDutyRequest) -> CalculateDutyResponse:
    """Return the response to a request, with all its fields."""
    response = CalculateDutyResponse()
    fill_quote(response, quote)
    own = response.provenance
    own.MergeFrom(
        _shared_provenance(tuple([quote.provenance[name] for name in _SHARED]), scenario.id, scenario.digest)
    )
    if scenario.values:
        own.details.update({"scenario_parameters": {scenario.id: dict(scenario.values)}})
    own.run_digest = digest_of(request, own.SerializeToString(deterministic=True))
    return response


@lru_cache(maxsize=_PROVENANCES_KEPT)
def _shared_provenance(facts: tuple[object, ...], scenario: str, digest: str) -> common_pb2.Provenance:
    """Provenance that all lines under the same law share; read only."""
    message = common_pb2.Provenance(scenarios=[common_pb2.ScenarioDigest(id=scenario, digest=digest)])
    for name, fact in zip(_SHARED, facts, strict=True):
        setattr(message, name, fact)
    return message


def fill_quote(response: CalculateDutyResponse, quote: Quote) -> None:
    """Fill the message of a quote, which may be part of another, with all but what all lines of a law share."""
    for name, amount in amounts_of(quote).items():
        setattr(response, name, amount)
    response.missing_claims.extend(quote.missing_claims)
    response.assumptions.extend(quote.assumptions)
    response.landed.update(landed_of(quote.landed))
    response.notes.extend(notes_of(quote.notes))
    response.charges.extend(map(_charge, quote.charges))
    response.prohibited.extend(quote.prohibited)
    for layer in quote.layers:
        _fill_layer(response.layers.add(), layer)
    for line in quote.headings:
        response.headings.add(
            heading=line.heading,
            measures=line.measures,
            rate=None if line.rate is None else _rate(line.rate),
            base=_cents(line.base),
            amount=_cents(line.amount),
        )
    own, facts = response.provenance, dict[str, Any](quote.provenance)
    own.known_on = facts["known_on"]
    own.switches.update(facts["switches"])
    own.details.update({name: facts[name] for name in _OF_THE_LINE})


def add_reasons(message: CalculateDutyResponse, quote: Quote) -> None:
    """Add the reason for each layer to the message of a quote."""
    for one, layer in zip(message.layers, quote.layers, strict=True):
        one.why.update(layer.why)


def amounts_of(total: Quote | EntryTotal) -> dict[str, Any]:
    """Format the four amounts of a quote or an entry."""
    return {name: _cents(getattr(total, name)) for name in ("assessed", "owed", "min", "max")}


def landed_of(cost: LandedCost) -> dict[str, str]:
    """Format the parts of the landed cost."""
    return {name: _cents(amount) for name, amount in cost.as_dict().items()}


def _fill_layer(message: duty_service_pb2.Layer, layer: QuoteLayer) -> None:
    message.CopyFrom(_layer_form(layer.priced.row))
    message.heading = layer.heading
    message.state = _STATES[layer.state]
    if layer.rate is not None:
        message.rate = _rate(layer.rate)
    message.base = _cents(layer.base)
    message.amount = amount = _cents(layer.amount)
    message.min = amount if layer.min == layer.amount else _cents(layer.min)
    message.max = amount if layer.max == layer.amount else _cents(layer.max)


@lru_cache(maxsize=_FORMS_KEPT)
def _layer_form(row: StackedRow) -> duty_service_pb2.Layer:
    """Fields that all layers of a row share."""
    measure = row.layer.active.measure
    return duty_service_pb2.Layer(measure=measure.id, authority=measure.authority, citations=row.citations)


def _cents(amount: Decimal) -> str:
    text = str(amount)
    # Formatting takes three times as long, and nearly all amounts have two decimals already.
    return text if text[-3:-2] == "." else f"{amount:.2f}"


@lru_cache(maxsize=_FORMS_KEPT)
def _rate(rate: Decimal) -> str:
    return f"{rate.normalize():f}"


def _charge(charge: Charge) -> duty_service_pb2.Charge:
    return duty_service_pb2.Charge(
        kind=value_of(duty_service_pb2.ChargeKind, charge.kind),
        label=charge.label,
        base=None if charge.base is None else f"{charge.base:f}",
        amount=f"{charge.amount:.2f}",
    )


@lru_cache(maxsize=_FORMS_KEPT)
def considered_message(one: UnappliedMeasure) -> duty_service_pb2.Considered:
    """Convert a measure that did not apply; read only, as most are shared by many lines."""
    return duty_service_pb2.Considered(
        measure=one.measure,
        authority=one.authority,
        heading=one.heading,
        outcome=one.outcome,
        rule=one.rule,
        text=one.text,
        citations=one.citations,
        operands=one.operands,
    )
