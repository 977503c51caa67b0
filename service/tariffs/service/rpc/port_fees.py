"""LawService.CalculatePortFee: calculate port fees per call, container and ton of a voyage."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from tariffs.engine.errors import InputError
from tariffs.engine.law.assumptions import PortCalls
from tariffs.engine.law.law import IMPORT
from tariffs.engine.line_duty.entry_dates import entry_instant, read_known_on
from tariffs.engine.runs.port_fees import PortFee, fee_on, port_cost, sourced_costs
from tariffs.service.rpc.checks import decimal, required, word
from tariffs.service.rpc.messages import message_of
from tariffs.service.rpc.shared import law_asked, law_provenance
from tariffs.v1 import law_service_pb2 as pb

_CENT = Decimal("0.01")
_AMOUNTS = ("per_call", "total", "per_teu", "per_ton", "teu_of_trade", "ton_of_trade")
_FIGURES = ("net_tons", "teu", "cargo_tons", "containers", "calls", "share", "usd_per_unit")


def calculate_port_fee(request: pb.CalculatePortFeeRequest) -> pb.CalculatePortFeeResponse:
    """Calculate the fees of a voyage, or of every voyage in the law data.

    Raises:
        TariffsError: an invalid day, scenario, switch or voyage.
    """
    scenario, law = law_asked(request)
    instant = entry_instant(law, word(request.on, "on") or law.as_of)
    day = instant.astimezone(law.zones[IMPORT]).date()
    known_on = read_known_on(law, word(request.known_on, "known_on") or None, day)
    if request.HasField("voyage"):
        calls = _calls(request.voyage)
        costs = [port_cost(law, fee_on(law, calls.kind), calls, instant, known_on)]
    else:
        costs = sourced_costs(law, instant, known_on)
    on = instant.astimezone(law.zones[IMPORT]).isoformat()
    provenance = law_provenance(law, request, [scenario], known_on=known_on, on=on)
    return pb.CalculatePortFeeResponse(fees=[_fee(cost) for cost in costs], provenance=provenance)


def _calls(voyage: pb.Voyage) -> PortCalls:
    figures = {name: _figure(getattr(voyage, name), f"voyage.{name}") for name in _FIGURES}
    kind = required(voyage.kind, "voyage.kind", "Use the kind of ship the fee is on.")
    return PortCalls(kind, word(voyage.ship, "voyage.ship"), **figures, source=word(voyage.source, "source"))


def _figure(text: str, field: str) -> Decimal | None:
    if not text:
        return None
    number = decimal(text, field, "PARAMETER_INVALID")
    if number <= 0 and not field.endswith("share"):
        raise InputError(
            "PARAMETER_INVALID", f"{field} is {text}, not above 0.", field=field, fix="Use a number above 0."
        )
    return number


def _fee(cost: PortFee) -> pb.PortFee:
    return message_of(
        pb.PortFee,
        cost,
        **{name: _cents(getattr(cost, name)) for name in _AMOUNTS},
        figures=[
            message_of(pb.VoyageFigure, one, value=f"{one.value.normalize():f}") for one in cost.figures
        ],
    )


def _cents(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount.quantize(_CENT, ROUND_HALF_UP):f}"
