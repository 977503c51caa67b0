"""Answers prepared for all requests that differ in the customs value and their own ids alone.

Most of an answer does not depend on the money: names, citations, reasons, assumptions. The first request of its kind
lays it out, and the ones after put their amounts into the blanks of its encoding, which is ten times faster than
building a message.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from functools import partial
from itertools import count, islice

from tariffs.engine.base.bounded_cache import BoundedCache
from tariffs.engine.law import Law
from tariffs.engine.line_duty.entry_line import DOLLAR, ResolvedLine
from tariffs.engine.line_duty.fees import LinearFees, fees_on, linear_fees
from tariffs.engine.line_duty.linear_quote import LARGEST_VALUE, LinearDuty, LinearQuote
from tariffs.engine.line_duty.quote_cache import QuotePlan
from tariffs.engine.line_duty.rounding import UNDETERMINED
from tariffs.service.observability.answer_facts import Encoded
from tariffs.service.rpc.byte_templates import Blanks, lay_out
from tariffs.service.rpc.checks import DECIMAL, TEXT_LIMIT
from tariffs.service.rpc.quotes import STATES
from tariffs.service.rpc.shared import digest_of
from tariffs.v1.duty_service_pb2 import CalculateDutyRequest, CalculateDutyResponse, LayerState

PREPARED_KEPT = 2048
"""Answers of all laws together; one takes some 10 KB."""
BLANKS_KEPT = 4096
"""Their encodings, which differ where amounts are longer or shorter; one takes some 5 KB."""
_KEY_LIMIT = 4096
_WHOLE_DIGITS = 15
_UNDETERMINED = STATES[UNDETERMINED]
_DUTY = ("assessed", "owed", "min", "max")
_LANDED = ("customs_value", "duty", "mpf", "hmf", "total")
_CARRIAGE = ("freight", "insurance")
States = tuple[LayerState, ...]


@dataclass(frozen=True, slots=True)
class Prepared:
    """An answer without its money. It holds no law: one that nobody asks for any more must be free to go.

    Attributes:
        form: the answer, with the money of the request that laid it out.
        provenance: of the form, serialized.
        scaled: the line for one dollar.
        told: its layers that the form tells of, in order.
        fees: of the line.
        carriage: freight and insurance, in cents.
        number: that no other has, nor one that stood in its place before.
    """

    form: CalculateDutyResponse
    provenance: bytes
    scaled: LinearQuote
    told: tuple[LinearDuty, ...]
    fees: LinearFees
    carriage: int
    number: int = field(default_factory=count().__next__)


_PREPARED: BoundedCache[bytes, Prepared] = BoundedCache(PREPARED_KEPT)
_BLANKS: BoundedCache[tuple[int, bytes, States], Blanks] = BoundedCache(BLANKS_KEPT)


def prepare(
    request: CalculateDutyRequest,
    law: Law,
    line: ResolvedLine,
    plan: QuotePlan,
    answer: CalculateDutyResponse,
) -> None:
    """Keep an answer for requests like this one, if its amounts are proportional to the value.

    Args:
        request: what was asked.
        law: the law of the answer.
        line: the line as read.
        plan: its plan.
        answer: what was answered, with all its fields; it is copied.
    """
    scaled = plan.linear_for(line.goods.value)
    # The landed cost of goods that partly may not enter is not proportional to the declared value.
    if scaled is None or plan.prohibited.share or not _alike(request):
        return
    fees = linear_fees(fees_on(law, line.day), line.line.mode, plan.mpf_share)
    key = _key(request)
    if fees is None or key is None:
        return
    form = CalculateDutyResponse()
    form.CopyFrom(answer)
    form.provenance.ClearField("run_digest")
    provenance = form.provenance.SerializeToString(deterministic=True)
    told = scaled.reported(scaled.cents(int(line.goods.value)))
    carriage = sum(int(Decimal(answer.landed[name]) * 100) for name in _CARRIAGE)
    _PREPARED.keep(key, Prepared(form, provenance, scaled, told, fees, carriage))


def answer_prepared(request: CalculateDutyRequest) -> Encoded | None:
    """The answer to a request if one like it was prepared, with all its fields; None if not, or if it is wrong."""
    if not _alike(request):
        return None
    key, line = _key(request), request.line
    kept = _PREPARED.find(key) if key else None
    if kept is None or max(len(line.line_id), len(line.entry_id)) > TEXT_LIMIT:
        return None
    declared = _declared(line.customs_value)
    value = declared if isinstance(declared, int) else int(declared.quantize(DOLLAR, ROUND_HALF_UP))
    if not 0 < value < LARGEST_VALUE:
        return None
    cents = kept.scaled.cents(value)
    if kept.scaled.latent and kept.scaled.reported(cents) != kept.told:
        return None
    texts, states = _texts(kept, declared, value, cents)
    digest = digest_of(request, kept.provenance)
    texts.append(digest.encode())
    return Encoded(_encoded(kept, texts, states), digest)


def _declared(text: str) -> int | Decimal:
    """The value that is written; 0 if it is not a number."""
    # Most are whole dollars, and the way of decimals is long.
    if text.isdecimal() and text.isascii() and len(text) <= _WHOLE_DIGITS:
        return int(text)
    return Decimal(text) if DECIMAL.fullmatch(text) else 0


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


def _texts(
    kept: Prepared, declared: int | Decimal, value: int, cents: Sequence[int]
) -> tuple[list[bytes], States]:
    """The amounts of an answer, and how the layers that are in doubt stand."""
    duty = kept.scaled.duty(cents)
    doubtful = [(layer, layer.amounts(cents)) for layer in kept.told if layer.possible]
    landed = value * 100, duty[0], *kept.fees.at(value, declared)
    amounts = [*cents, *duty, *[one for _, found in doubtful for one in found]]
    amounts += *landed, sum(landed) + kept.carriage
    texts = [b"%d.%02d" % divmod(one, 100) for one in amounts]
    states = [
        STATES[layer.label.state] if low == high else _UNDETERMINED for layer, (_, _, low, high) in doubtful
    ]
    return texts, tuple(states)


def _encoded(kept: Prepared, texts: Sequence[bytes], states: States) -> bytes:
    form = kept.number, bytes(map(len, texts)), states
    blanks = _BLANKS.find(form)
    if blanks is not None:
        return blanks.filled(texts)
    data, blanks = lay_out(partial(_filled, kept, states), texts)
    if blanks is not None:
        _BLANKS.keep(form, blanks)
    return data


def _filled(kept: Prepared, states: States, texts: Sequence[str]) -> CalculateDutyResponse:
    """The answer with the amounts of `_texts` and the digest of its run."""
    given = iter(texts)
    cents = list(islice(given, len(kept.scaled.proportions)))
    answer = CalculateDutyResponse()
    answer.CopyFrom(kept.form)
    for name in _DUTY:
        setattr(answer, name, next(given))
    doubts = iter(states)
    for message, layer in zip(answer.layers, kept.told, strict=True):
        amount = cents[layer.amount]
        message.base, message.amount, message.min, message.max = cents[layer.base], amount, amount, amount
        if layer.possible:
            message.base, message.amount, message.min, message.max = islice(given, 4)
            message.state = next(doubts)
    for name in _LANDED:
        answer.landed[name] = next(given)
    answer.provenance.run_digest = next(given)
    return answer


__all__ = ["BLANKS_KEPT", "PREPARED_KEPT", "Prepared", "answer_prepared", "prepare"]
