"""Response cache for requests that differ only in customs value and ids.

Most of a response does not depend on the value: names, citations, reasons, assumptions. The first request makes a byte
template of its response; later ones fill in their amounts, which is ten times faster than building a message.
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
from tariffs.service.rpc.byte_templates import ByteTemplate, make_template
from tariffs.service.rpc.checks import DECIMAL, TEXT_LIMIT
from tariffs.service.rpc.quotes import STATES
from tariffs.service.rpc.shared import digest_of
from tariffs.v1.duty_service_pb2 import CalculateDutyRequest, CalculateDutyResponse, LayerState

RESPONSES_KEPT = 2048
"""Cached responses of all laws together; one takes some 10 KB."""
TEMPLATES_KEPT = 4096
"""Their byte templates, one for each combination of text lengths; one takes some 5 KB."""
_KEY_LIMIT = 4096
_WHOLE_DIGITS = 15
_UNDETERMINED = STATES[UNDETERMINED]
_DUTY = ("assessed", "owed", "min", "max")
_LANDED = ("customs_value", "duty", "mpf", "hmf", "total")
_CARRIAGE = ("freight", "insurance")
States = tuple[LayerState, ...]


@dataclass(frozen=True, slots=True)
class CachedResponse:
    """A response without its amounts. Holds no reference to the Law, so unused laws can be collected.

    Attributes:
        form: the response, with the amounts of the first request.
        provenance: the provenance of the form, serialized.
        linear: the line for one dollar.
        reported: the layers in the form, in order.
        fees: the fees of the line.
        carriage: freight and insurance, in cents.
        number: unique, also among replaced entries.
    """

    form: CalculateDutyResponse
    provenance: bytes
    linear: LinearQuote
    reported: tuple[LinearDuty, ...]
    fees: LinearFees
    carriage: int
    number: int = field(default_factory=count().__next__)


_RESPONSES: BoundedCache[bytes, CachedResponse] = BoundedCache(RESPONSES_KEPT)
_TEMPLATES: BoundedCache[tuple[int, bytes, States], ByteTemplate] = BoundedCache(TEMPLATES_KEPT)


def cache_response(
    request: CalculateDutyRequest,
    law: Law,
    line: ResolvedLine,
    plan: QuotePlan,
    response: CalculateDutyResponse,
) -> None:
    """Cache a response if its amounts are proportional to the customs value.

    Args:
        request: the request.
        law: the law of the response.
        line: the resolved line.
        plan: its plan.
        response: the response, with all its fields; it is copied.
    """
    linear = plan.linear_for(line.goods.value)
    # The landed cost of partly prohibited goods is not proportional to the declared value.
    if linear is None or plan.prohibited.share or not _is_cacheable(request):
        return
    fees = linear_fees(fees_on(law, line.day), line.line.mode, plan.mpf_share)
    key = _key(request)
    if fees is None or key is None:
        return
    form = CalculateDutyResponse()
    form.CopyFrom(response)
    form.provenance.ClearField("run_digest")
    provenance = form.provenance.SerializeToString(deterministic=True)
    reported = linear.reported(linear.cents(int(line.goods.value)))
    carriage = sum(int(Decimal(response.landed[name]) * 100) for name in _CARRIAGE)
    _RESPONSES.keep(key, CachedResponse(form, provenance, linear, reported, fees, carriage))


def cached_response(request: CalculateDutyRequest) -> Encoded | None:
    """Return the response to a request from the cache, with all its fields; None if not cached or if invalid."""
    if not _is_cacheable(request):
        return None
    key, line = _key(request), request.line
    cached = _RESPONSES.find(key) if key else None
    if cached is None or max(len(line.line_id), len(line.entry_id)) > TEXT_LIMIT:
        return None
    declared = _declared(line.customs_value)
    value = declared if isinstance(declared, int) else int(declared.quantize(DOLLAR, ROUND_HALF_UP))
    if not 0 < value < LARGEST_VALUE:
        return None
    cents = cached.linear.cents(value)
    if cached.linear.latent and cached.linear.reported(cents) != cached.reported:
        return None
    texts, states = _texts(cached, declared, value, cents)
    digest = digest_of(request, cached.provenance)
    texts.append(digest.encode())
    return Encoded(_encoded(cached, texts, states), digest)


def _declared(text: str) -> int | Decimal:
    """Read a customs value; 0 if it is not a number."""
    # Most values are whole dollars, and decimals are slow.
    if text.isdecimal() and text.isascii() and len(text) <= _WHOLE_DIGITS:
        return int(text)
    return Decimal(text) if DECIMAL.fullmatch(text) else 0


def _is_cacheable(request: CalculateDutyRequest) -> bool:
    """Return True if responses to requests with the same key differ only in amounts."""
    return not (request.explain or request.line.other_charges or request.scenario.yaml)


def _key(request: CalculateDutyRequest) -> bytes | None:
    """Serialize a request without its value and ids; None if that is too long to cache."""
    line = request.line
    own = line.customs_value, line.line_id, line.entry_id
    line.customs_value = line.line_id = line.entry_id = ""
    try:
        key: bytes = request.SerializeToString(deterministic=True)
    finally:
        line.customs_value, line.line_id, line.entry_id = own
    return key if len(key) <= _KEY_LIMIT else None


def _texts(
    cached: CachedResponse, declared: int | Decimal, value: int, cents: Sequence[int]
) -> tuple[list[bytes], States]:
    """Format the amounts of a response, and return the states of the layers that depend on undeclared facts."""
    duty = cached.linear.duty(cents)
    doubtful = [(layer, layer.amounts(cents)) for layer in cached.reported if layer.possible]
    landed = value * 100, duty[0], *cached.fees.at(value, declared)
    amounts = [*cents, *duty, *[amount for _, amounts in doubtful for amount in amounts]]
    amounts += *landed, sum(landed) + cached.carriage
    texts = [b"%d.%02d" % divmod(one, 100) for one in amounts]
    states = [
        STATES[layer.label.state] if low == high else _UNDETERMINED for layer, (_, _, low, high) in doubtful
    ]
    return texts, tuple(states)


def _encoded(cached: CachedResponse, texts: Sequence[bytes], states: States) -> bytes:
    key = cached.number, bytes(map(len, texts)), states
    template = _TEMPLATES.find(key)
    if template is not None:
        return template.fill(texts)
    data, template = make_template(partial(_filled, cached, states), texts)
    if template is not None:
        _TEMPLATES.keep(key, template)
    return data


def _filled(cached: CachedResponse, states: States, texts: Sequence[str]) -> CalculateDutyResponse:
    """Return the response with the amounts of `_texts` and its run digest."""
    remaining = iter(texts)
    cents = list(islice(remaining, len(cached.linear.proportions)))
    response = CalculateDutyResponse()
    response.CopyFrom(cached.form)
    for name in _DUTY:
        setattr(response, name, next(remaining))
    remaining_states = iter(states)
    for message, layer in zip(response.layers, cached.reported, strict=True):
        amount = cents[layer.amount]
        message.base, message.amount, message.min, message.max = cents[layer.base], amount, amount, amount
        if layer.possible:
            message.base, message.amount, message.min, message.max = islice(remaining, 4)
            message.state = next(remaining_states)
    for name in _LANDED:
        response.landed[name] = next(remaining)
    response.provenance.run_digest = next(remaining)
    return response
