"""DutyService: the duty on one entry line."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tariffs.engine.assess import EntryLine, Quote, QuoteLayer, assess_line
from tariffs.service.rpc.checks import choice, decimal, required, value_of, word, words
from tariffs.service.rpc.masks import trim
from tariffs.service.rpc.shared import law_under, notes_of, provenance_of, scenario_of
from tariffs.v1 import common_pb2, duty_service_pb2


def calculate_duty(request: duty_service_pb2.CalculateDutyRequest) -> duty_service_pb2.CalculateDutyResponse:
    """Rate one line.

    Raises:
        TariffsError: what is wrong with the line, the scenario or a switch.
    """
    line = _line(request.line)
    scenario = scenario_of(request.scenario, "scenario")
    law = law_under(scenario, request.switches, request.min_confidence)
    quote = assess_line(law, line, known_on=word(request.known_on, "known_on") or None)
    facts = {**quote.provenance, "scenarios": {scenario.id: scenario.digest}}
    answer = duty_service_pb2.CalculateDutyResponse(
        **_amounts(quote),
        missing_claims=quote.missing_claims,
        assumptions=quote.assumptions,
        landed={name: f"{amount:.2f}" for name, amount in quote.landed.as_dict().items()},
        layers=[_layer(layer) for layer in quote.layers],
        notes=notes_of(quote.notes),
        provenance=provenance_of(facts, request),
    )
    return trim(answer, request.read_mask.paths)


def _amounts(quote: Quote) -> dict[str, str]:
    return {name: f"{getattr(quote, name):.2f}" for name in ("assessed", "owed", "min", "max")}


def _line(line: duty_service_pb2.EntryLine) -> EntryLine:
    return EntryLine(
        hts=required(line.hts, "hts", "Give an HTS code of 4 to 10 digits."),
        origin=required(line.origin, "origin", "Give the ISO 3166-1 alpha-2 code of the country of origin."),
        value=decimal(line.customs_value, "customs_value", "CUSTOMS_VALUE_INVALID"),
        entry=word(line.entry, "entry_date") or None,
        claims=_claims(line.claims),
        quantity=decimal(line.quantity, "quantity", "QUANTITY_INVALID") if line.quantity else None,
        unit=word(line.unit, "unit"),
        mode=choice(common_pb2.TransportMode, line.mode, "mode"),
        freight=_charge(line.freight, "freight"),
        insurance=_charge(line.insurance, "insurance"),
    )


def _charge(text: str, field: str) -> Decimal:
    return decimal(text, field, "CHARGE_INVALID") if text else Decimal(0)


def _claims(claims: duty_service_pb2.Claims) -> Mapping[str, Any]:
    """What is declared: set fields by name, and the others as text."""
    declared = {field.name: value for field, value in claims.ListFields() if field.name != "others"}
    if claims.processing_value:
        declared["processing_value"] = decimal(
            claims.processing_value, "claims.processing_value", "CLAIM_INVALID"
        )
    return {**words(claims.others, "claims"), **declared}


def _layer(layer: QuoteLayer) -> duty_service_pb2.Layer:
    return duty_service_pb2.Layer(
        measure=layer.measure,
        authority=layer.authority,
        heading=layer.heading,
        state=value_of(duty_service_pb2.LayerState, layer.state),
        rate=None if layer.rate is None else f"{layer.rate.normalize():f}",
        base=f"{layer.base:.2f}",
        amount=f"{layer.amount:.2f}",
        min=f"{layer.min:.2f}",
        max=f"{layer.max:.2f}",
        citations=layer.citations,
        why=layer.why,
    )
