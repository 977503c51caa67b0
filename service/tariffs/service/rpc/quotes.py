"""Quotes as messages: built whole, or filled into the form that all quotes of one plan share.

Most of an answer does not depend on the money: names, citations, reasons, assumptions. It is laid out once per plan,
copied, and the amounts are written into the copy, which is ten times faster than building it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tariffs.engine.assess import Quote, QuoteLayer
from tariffs.engine.entries import EntryTotal
from tariffs.engine.entryline import Charge
from tariffs.engine.landed import LandedCost
from tariffs.engine.law.stacking import APPLIED, DISPLACED, EXEMPT, SUSPENDED
from tariffs.engine.lru import Lru
from tariffs.engine.quoteplan import Plan
from tariffs.engine.scenario import Scenario
from tariffs.engine.settling import UNDETERMINED
from tariffs.service.rpc.checks import value_of
from tariffs.service.rpc.masks import trim
from tariffs.service.rpc.shared import notes_of, provenance_of, run_digest
from tariffs.v1 import common_pb2, duty_service_pb2
from tariffs.v1.duty_service_pb2 import CalculateDutyRequest, CalculateDutyResponse

FORMS_KEPT = 2048
"""Forms of all plans, scenarios and field masks together; one takes some 10 KB."""
_STATES = {
    APPLIED: duty_service_pb2.LAYER_STATE_APPLIED,
    EXEMPT: duty_service_pb2.LAYER_STATE_EXEMPT,
    DISPLACED: duty_service_pb2.LAYER_STATE_DISPLACED,
    SUSPENDED: duty_service_pb2.LAYER_STATE_SUSPENDED,
    UNDETERMINED: duty_service_pb2.LAYER_STATE_UNDETERMINED,
}


@dataclass(frozen=True, slots=True)
class _Use:
    """What a form is for: a plan, and those of its layers that stand, both by identity.

    The plan is kept here, so that its layers are not forgotten and their identities not used again.
    """

    plan: Plan
    layers: tuple[int, ...]
    scenario: str
    digest: str
    paths: tuple[str, ...]


_FORMS: Lru[_Use, CalculateDutyResponse] = Lru(FORMS_KEPT)


def answer_of(
    quote: Quote, scenario: Scenario, plan: Plan, request: CalculateDutyRequest
) -> CalculateDutyResponse:
    """The answer to a request, by the form of its plan where it has one.

    It may still have fields that the field mask leaves out.

    Raises:
        InputError: REQUEST_INVALID for a field mask that leads nowhere.
    """
    if plan.scaled_for(quote.landed.customs_value) is None:
        return _whole(quote, scenario, request)
    layers = tuple([id(layer.face) for layer in quote.layers])
    use = _Use(plan, layers, scenario.id, scenario.digest, tuple(request.read_mask.paths))
    form = _FORMS.get(use, lambda: _form(quote, scenario, request))
    return _filled(form, quote, request)


def _whole(quote: Quote, scenario: Scenario, request: CalculateDutyRequest) -> CalculateDutyResponse:
    facts = {**quote.provenance, "scenarios": {scenario.id: scenario.digest}}
    return quote_message(quote, provenance_of(facts, request))


def _form(quote: Quote, scenario: Scenario, request: CalculateDutyRequest) -> CalculateDutyResponse:
    """A quote without what is the line's own; fields it does not have to copy are left out."""
    form = trim(_whole(quote, scenario, request), request.read_mask.paths)
    form.ClearField("notes")
    form.ClearField("charges")
    form.provenance.ClearField("run_digest")
    # The quote at hand may leave a layer undetermined that others of its plan do not.
    for message, layer in zip(form.layers, quote.layers, strict=False):
        message.state = _STATES[layer.face.state]
    return form


def _filled(
    form: CalculateDutyResponse, quote: Quote, request: CalculateDutyRequest
) -> CalculateDutyResponse:
    answer = CalculateDutyResponse()
    answer.CopyFrom(form)
    answer.assessed, answer.owed = f"{quote.assessed:.2f}", f"{quote.owed:.2f}"
    answer.min, answer.max = f"{quote.min:.2f}", f"{quote.max:.2f}"
    landed = answer.landed
    for name, amount in quote.landed.as_dict().items():
        landed[name] = f"{amount:.2f}"
    # A field mask may have taken the layers away.
    for message, layer in zip(answer.layers, quote.layers, strict=False):
        _fill(message, layer)
    if quote.notes:
        answer.notes.extend(notes_of(quote.notes))
    if quote.charges:
        answer.charges.extend(_charge(charge) for charge in quote.charges)
    provenance = answer.provenance
    provenance.known_on = str(quote.provenance["known_on"])
    provenance.details.fields["entry"].string_value = str(quote.provenance["entry"])
    provenance.run_digest = run_digest(provenance, request)
    return answer


def _fill(message: duty_service_pb2.Layer, layer: QuoteLayer) -> None:
    amount = f"{layer.amount:.2f}"
    message.base = f"{layer.base:.2f}"
    message.amount = message.min = message.max = amount
    if layer.min != layer.amount:
        message.min = f"{layer.min:.2f}"
    if layer.max != layer.amount:
        message.max = f"{layer.max:.2f}"
    if layer.state != layer.face.state:
        message.state = _STATES[layer.state]


# -- building --------------------------------------------------------------------------------------------------


def quote_message(quote: Quote, provenance: common_pb2.Provenance) -> CalculateDutyResponse:
    """A quote as a message, built whole."""
    return CalculateDutyResponse(
        **amounts_of(quote),
        missing_claims=quote.missing_claims,
        assumptions=quote.assumptions,
        landed=landed_of(quote.landed),
        layers=[_layer(layer) for layer in quote.layers],
        notes=notes_of(quote.notes),
        provenance=provenance,
        charges=[_charge(charge) for charge in quote.charges],
    )


def amounts_of(answer: Quote | EntryTotal) -> dict[str, Any]:
    """The four amounts that a quote and an entry have, as text."""
    return {name: f"{getattr(answer, name):.2f}" for name in ("assessed", "owed", "min", "max")}


def landed_of(cost: LandedCost) -> dict[str, str]:
    """Parts of the landed cost as text."""
    return {name: f"{amount:.2f}" for name, amount in cost.as_dict().items()}


def _layer(layer: QuoteLayer) -> duty_service_pb2.Layer:
    return duty_service_pb2.Layer(
        measure=layer.measure,
        authority=layer.authority,
        heading=layer.heading,
        state=_STATES[layer.state],
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
