"""Answers prepared for all requests that differ in the customs value and their own ids alone.

Most of an answer does not depend on the money: names, citations, reasons, assumptions. The first request of its kind
lays it out and the ones after copy it and write the amounts into the copy, which is ten times faster than building it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from tariffs.engine.entryline import CENT, DOLLAR, Reading
from tariffs.engine.landed import DayFees, FeeLine, fees_on
from tariffs.engine.law import Law
from tariffs.engine.lru import Lru
from tariffs.engine.quoteplan import Plan
from tariffs.engine.scaling import LARGEST_VALUE, Scaled, ScaledLayer
from tariffs.engine.settling import UNDETERMINED
from tariffs.service.rpc.checks import DECIMAL, TEXT_LIMIT
from tariffs.service.rpc.quotes import STATES
from tariffs.service.rpc.shared import digest_of
from tariffs.v1 import duty_service_pb2
from tariffs.v1.duty_service_pb2 import CalculateDutyRequest, CalculateDutyResponse

PREPARED_KEPT = 2048
"""Answers of all laws together; one takes some 10 KB."""
_KEY_LIMIT = 4096
_UNDETERMINED = STATES[UNDETERMINED]
_TEXT = "%d.%02d"


@dataclass(frozen=True, slots=True)
class Prepared:
    """An answer without its money. It holds no law: one that nobody asks for any more must be free to go.

    Attributes:
        form: the answer, with the money of the request that laid it out.
        provenance: of the form, serialized.
        scaled: the line for one dollar.
        told: its layers that the form tells of, in order.
        fees: those of the day of entry.
        mode: of transport.
        mpf_share: the part of the value on which the processing fee is due.
        carriage: freight and insurance, US dollars.
    """

    form: CalculateDutyResponse
    provenance: bytes
    scaled: Scaled
    told: tuple[ScaledLayer, ...]
    fees: DayFees
    mode: str
    mpf_share: Decimal
    carriage: Decimal


_PREPARED: Lru[bytes, Prepared] = Lru(PREPARED_KEPT)


def prepare(
    request: CalculateDutyRequest, law: Law, line: Reading, plan: Plan, answer: CalculateDutyResponse
) -> None:
    """Keep an answer for requests like this one, if its amounts are proportional to the value.

    Args:
        request: what was asked.
        law: the law of the answer.
        line: the line as read.
        plan: its plan.
        answer: what was answered, with all its fields; it is copied.
    """
    scaled = plan.scaled_for(line.goods.value)
    key = _key(request) if scaled is not None and _alike(request) else None
    if scaled is None or key is None:
        return
    form = CalculateDutyResponse()
    form.CopyFrom(answer)
    form.provenance.ClearField("run_digest")
    provenance = form.provenance.SerializeToString(deterministic=True)
    told = scaled.told(scaled.cents(int(line.goods.value)))
    fees, mode = fees_on(law, line.day), line.line.mode
    carriage = Decimal(answer.landed["freight"]) + Decimal(answer.landed["insurance"])
    _PREPARED.keep(key, Prepared(form, provenance, scaled, told, fees, mode, plan.mpf_share, carriage))


def answer_prepared(request: CalculateDutyRequest) -> CalculateDutyResponse | None:
    """The answer to a request if one like it was prepared, with all its fields; None if not, or if it is wrong."""
    if not _alike(request):
        return None
    key, line = _key(request), request.line
    kept = _PREPARED.find(key) if key else None
    if kept is None or max(len(line.line_id), len(line.entry_id)) > TEXT_LIMIT:
        return None
    if not DECIMAL.fullmatch(line.customs_value):
        return None
    declared = Decimal(line.customs_value)
    value = declared.quantize(DOLLAR, ROUND_HALF_UP)
    if not 0 < value < LARGEST_VALUE:
        return None
    cents = kept.scaled.cents(int(value))
    if kept.scaled.latent and kept.scaled.told(cents) != kept.told:
        return None
    return _filled(kept, request, declared, value, cents)


def _alike(request: CalculateDutyRequest) -> bool:
    """Whether requests like this one differ in the amounts of the answer alone."""
    return not (request.explain or request.line.other_charges or request.scenario.yaml)


def _key(request: CalculateDutyRequest) -> bytes | None:
    """All that a request says but for its value and ids; None if that is too much to keep."""
    line = request.line
    own = line.customs_value, line.line_id, line.entry_id
    line.customs_value = line.line_id = line.entry_id = ""
    try:
        key: bytes = request.SerializeToString(deterministic=True)
    finally:
        line.customs_value, line.line_id, line.entry_id = own
    return key if len(key) <= _KEY_LIMIT else None


def _filled(
    kept: Prepared, request: CalculateDutyRequest, declared: Decimal, value: Decimal, cents: Sequence[int]
) -> CalculateDutyResponse:
    answer = CalculateDutyResponse()
    answer.CopyFrom(kept.form)
    duty = kept.scaled.duty(cents)
    answer.assessed, answer.owed, answer.min, answer.max = [_TEXT % divmod(one, 100) for one in duty]
    _fill_layers(answer.layers, kept.told, cents)
    mpf, hmf = kept.fees.of_line(FeeLine(value, declared, value * kept.mpf_share, kept.mode))
    landed = answer.landed
    landed["customs_value"], landed["duty"] = f"{value}.00", answer.assessed
    landed["mpf"], landed["hmf"] = f"{mpf:.2f}", f"{hmf:.2f}"
    landed["total"] = f"{value + kept.carriage + duty[0] * CENT + mpf + hmf:.2f}"
    answer.provenance.run_digest = digest_of(request, kept.provenance)
    return answer


def _fill_layers(
    messages: Sequence[duty_service_pb2.Layer], layers: Sequence[ScaledLayer], cents: Sequence[int]
) -> None:
    texts = [_TEXT % divmod(one, 100) for one in cents]
    for message, layer in zip(messages, layers, strict=True):
        if layer.latent:
            # It charges nothing, on no base: what it could be is all there is to tell.
            message.max = _TEXT % divmod(layer.amounts(cents)[3], 100)
            continue
        message.base = texts[layer.base]
        message.amount = message.min = message.max = texts[layer.amount]
        if layer.possible:
            _, amount, low, high = layer.amounts(cents)
            message.state = STATES[layer.face.state] if low == high else _UNDETERMINED
            if low != amount:
                message.min = _TEXT % divmod(low, 100)
            if high != amount:
                message.max = _TEXT % divmod(high, 100)


__all__ = ["PREPARED_KEPT", "Prepared", "answer_prepared", "prepare"]
