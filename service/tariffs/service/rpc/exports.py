"""DutyService: quote the duty on one export line in its country of destination."""

from __future__ import annotations

from datetime import datetime

from tariffs.engine.line_duty.entry_line import EntryLine
from tariffs.engine.line_duty.exports import ExportDuty, ExportLine, ExportQuote, quote_export
from tariffs.engine.scenario import day_notes, scenario_facts
from tariffs.service.rpc.checks import value_of, word
from tariffs.service.rpc.field_masks import trim
from tariffs.service.rpc.quotes import amounts_of
from tariffs.service.rpc.shared import filled_scenario, law_under, notes_of, provenance_of
from tariffs.service.wire.status import request_invalid
from tariffs.v1 import common_pb2, duty_service_pb2


def calculate_export(
    request: duty_service_pb2.CalculateDutyRequest, line: EntryLine
) -> duty_service_pb2.CalculateDutyResponse:
    """Quote one export line.

    Args:
        request: the request.
        line: its line in the engine's form.

    Raises:
        TariffsError: an invalid line, scenario or switch.
    """
    if line.other_charges:
        raise request_invalid(
            "other_charges apply to the landed cost of imports only.",
            "other_charges",
            "Omit them; freight and insurance have separate fields.",
        )
    scenario = filled_scenario(request)
    law = law_under(request.law_version, scenario, request.switches, request.min_confidence)
    goods = ExportLine(
        line.hts,
        line.origin,
        line.value,
        line.entry,
        line.claims,
        line.freight,
        line.insurance,
        line.ordinary_rate,
        word(request.to, "to"),
    )
    quote = quote_export(law, goods, known_on=word(request.known_on, "known_on") or None)
    facts = {**quote.provenance, **scenario_facts([scenario])}
    response = _quote(quote, provenance_of(facts, request))
    day = datetime.fromisoformat(str(quote.provenance["entry"])).date()
    response.notes.extend(notes_of(day_notes(scenario, day, day)))
    if request.explain:
        for message, layer in zip(response.layers, quote.layers, strict=True):
            message.why.update(layer.why)
    return trim(response, request.read_mask.paths)


def _quote(quote: ExportQuote, provenance: common_pb2.Provenance) -> duty_service_pb2.CalculateDutyResponse:
    landed = {"cif": quote.cif, "duty": quote.assessed, quote.tax or "vat": quote.vat, "total": quote.landed}
    return duty_service_pb2.CalculateDutyResponse(
        **amounts_of(quote),
        missing_claims=quote.missing_claims,
        assumptions=quote.assumptions,
        landed={name: f"{amount:.2f}" for name, amount in landed.items()},
        layers=[_layer(layer) for layer in quote.layers],
        notes=notes_of(quote.notes),
        provenance=provenance,
    )


def _layer(layer: ExportDuty) -> duty_service_pb2.Layer:
    return duty_service_pb2.Layer(
        measure=layer.measure,
        authority=layer.authority,
        state=value_of(duty_service_pb2.LayerState, layer.state),
        rate=f"{layer.rate.normalize():f}",
        base=f"{layer.base:.2f}",
        amount=f"{layer.amount:.2f}",
        min=f"{layer.min:.2f}",
        max=f"{layer.max:.2f}",
        citations=layer.citations,
    )
