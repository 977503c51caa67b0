"""DutyService: quote the duty on one export line in its country of destination."""

from __future__ import annotations

from datetime import datetime

from tariffs.engine.line_duty.entry_line import EntryLine
from tariffs.engine.line_duty.exports import ExportLine, quote_export
from tariffs.engine.scenario import day_notes, scenario_facts
from tariffs.service.rpc.checks import word
from tariffs.service.rpc.field_masks import trim
from tariffs.service.rpc.messages import message_of
from tariffs.service.rpc.shared import filled_scenario, law_under, notes_of, provenance_of
from tariffs.service.wire.status import request_invalid
from tariffs.v1 import duty_service_pb2


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
    layers = [
        message_of(
            duty_service_pb2.Layer,
            layer,
            rate=f"{layer.rate.normalize():f}",
            why=layer.why if request.explain else {},
        )
        for layer in quote.layers
    ]
    landed = {"cif": quote.cif, "duty": quote.assessed, quote.tax or "vat": quote.vat, "total": quote.landed}
    day = datetime.fromisoformat(str(quote.provenance["entry"])).date()
    response = message_of(
        duty_service_pb2.CalculateDutyResponse,
        quote,
        landed={name: f"{amount:.2f}" for name, amount in landed.items()},
        layers=layers,
        notes=notes_of((*quote.notes, *day_notes(scenario, day, day))),
        provenance=provenance_of({**quote.provenance, **scenario_facts([scenario])}, request),
    )
    return trim(response, request.read_mask.paths)
