"""Convert quotes to messages."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, MutableMapping, Sequence
from decimal import Decimal
from functools import lru_cache, partial
from typing import Any

from tariffs.engine.base.bounded_cache import BoundedCache
from tariffs.engine.law.stacking import APPLIED, DISPLACED, EXEMPT, PROHIBITED, SUSPENDED
from tariffs.engine.line_duty.entries import EntryTotal
from tariffs.engine.line_duty.entry_line import Charge
from tariffs.engine.line_duty.fees import LandedCost
from tariffs.engine.line_duty.quote import Quote, QuoteLayer
from tariffs.engine.line_duty.rounding import UNDETERMINED
from tariffs.engine.line_duty.unapplied import UnappliedMeasure
from tariffs.engine.rating.fits import StackedRow
from tariffs.engine.scenario import Scenario
from tariffs.service.rpc.messages import message_of
from tariffs.service.rpc.scenario_refs import add_stored
from tariffs.service.rpc.shared import digest_of, notes_of
from tariffs.v1 import common_pb2, duty_service_pb2
from tariffs.v1.duty_service_pb2 import CalculateDutyRequest, CalculateDutyResponse

_PROVENANCES_KEPT = 1024
_FORMS_KEPT = 4096
"""Messages of layers, and of measures that did not apply, that answers share; one takes some 1 KB."""
_FORM = "message of its layers"
_SHARED = ("law_version", "law_digest", "law_read_to", "engine_version")
_LineFacts = tuple[str, str, str, tuple[tuple[str, str], ...]]
"""Day whose acts count, instant of entry, edition of the schedule, switches with their settings."""
_REASONS: BoundedCache[Hashable, duty_service_pb2.Layer] = BoundedCache(_FORMS_KEPT)
_NOTHING_LANDED = dict.fromkeys(LandedCost().as_dict(), "0.00")
_ENTRY_FORM = duty_service_pb2.EntryTotal(landed=_NOTHING_LANDED)
_STATES = {
    APPLIED: duty_service_pb2.LAYER_STATE_APPLIED,
    EXEMPT: duty_service_pb2.LAYER_STATE_EXEMPT,
    DISPLACED: duty_service_pb2.LAYER_STATE_DISPLACED,
    SUSPENDED: duty_service_pb2.LAYER_STATE_SUSPENDED,
    PROHIBITED: duty_service_pb2.LAYER_STATE_PROHIBITED,
    UNDETERMINED: duty_service_pb2.LAYER_STATE_UNDETERMINED,
}


def response_of(quote: Quote, scenario: Scenario, request: CalculateDutyRequest) -> CalculateDutyResponse:
    """Return the response to a request, with all its fields but the measures that did not apply."""
    facts = quote.provenance
    form, encoded = _full_form(
        tuple([facts[name] for name in _SHARED]),
        _line_facts(facts),
        (scenario.id, scenario.digest, tuple(scenario.values.items())),
    )
    response = CalculateDutyResponse()
    response.CopyFrom(form)
    layers = quote.layers
    forms = (
        list(map(_with_reason, layers))
        if request.explain
        else [_layer_form(one.priced.row) for one in layers]
    )
    _fill_amounts(response, quote, forms)
    if request.scenario.stored_name:
        add_stored(response.provenance, request)
    response.provenance.run_digest = digest_of(request, encoded)
    return response


def _line_facts(facts: Mapping[str, Any]) -> _LineFacts:
    return facts["known_on"], facts["entry"], facts["schedule"], tuple(facts["switches"].items())


@lru_cache(maxsize=_PROVENANCES_KEPT)
def _full_form(
    shared: tuple[str, ...], line: _LineFacts, scenario: tuple[str, str, tuple[tuple[str, str], ...]]
) -> tuple[CalculateDutyResponse, bytes]:
    """Form of the answers for lines under the same law on the same day, and its encoded provenance; read only.

    It has the provenance without run digest, and every part of the landed cost as 0.
    """
    name, digest, values = scenario
    form = CalculateDutyResponse()
    form.CopyFrom(_line_form(line))
    message = form.provenance
    message.scenarios.add(id=name, digest=digest)
    for field, fact in zip(_SHARED, shared, strict=True):
        setattr(message, field, fact)
    if values:
        message.details.update({"scenario_parameters": {name: dict(values)}})
    return form, message.SerializeToString(deterministic=True)


@lru_cache(maxsize=_PROVENANCES_KEPT)
def _line_form(facts: _LineFacts) -> CalculateDutyResponse:
    """Form of a quote as part of another response, without what all lines of a law share; read only."""
    known_on, entry, schedule, switches = facts
    form = CalculateDutyResponse(
        landed=_NOTHING_LANDED, provenance=common_pb2.Provenance(known_on=known_on, switches=dict(switches))
    )
    form.provenance.details.update({"entry": entry, "schedule": schedule})
    return form


def fill_quote(response: CalculateDutyResponse, quote: Quote) -> None:
    """Fill the message of a quote that is part of another, with all but what all lines of a law share."""
    response.CopyFrom(_line_form(_line_facts(quote.provenance)))
    _fill_amounts(response, quote, list(map(_with_reason, quote.layers)))


def fill_entry(message: duty_service_pb2.EntryTotal, entry: EntryTotal) -> None:
    """Fill the message of the totals of an entry."""
    message.CopyFrom(_ENTRY_FORM)
    message.entry_id = entry.entry_id
    if entry.day:
        message.day = entry.day.isoformat()
    message.indices.extend(entry.lines)
    message.refused_count = entry.refused
    message.informal = entry.informal
    message.assessed = _cents(entry.assessed)
    message.owed = _cents(entry.owed)
    message.min = _cents(entry.min)
    message.max = _cents(entry.max)
    _fill_landed(message.landed, entry.landed)
    if entry.notes:
        message.notes.extend(notes_of(entry.notes))


def _fill_landed(landed: MutableMapping[str, str], cost: LandedCost) -> None:
    """Fill the parts of a landed cost that are not 0; the form has the others."""
    for part, amount in zip(cost._fields, cost, strict=True):
        if amount:
            landed[part] = _cents(amount)
    total = cost.total
    if total:
        landed["total"] = _cents(total)


def _fill_amounts(
    response: CalculateDutyResponse, quote: Quote, forms: Sequence[duty_service_pb2.Layer]
) -> None:
    """Fill all but what its form has; `forms` are those of its layers.

    Amounts of layers and headings have two decimals already.
    """
    assessed, owed, least, most = quote[:4]
    response.assessed = text = _cents(assessed)
    response.owed = text if owed is assessed else _cents(owed)
    response.min = text if least is assessed else _cents(least)
    response.max = text if most is assessed else _cents(most)
    _fill_landed(response.landed, quote.landed)
    add = response.layers.add
    for layer, form in zip(quote.layers, forms, strict=True):
        _fill_layer(add(), layer, form)
    add_heading = response.headings.add
    for heading, measures, rate, base, amount in quote.headings:
        line = add_heading()
        line.heading = heading
        line.measures.extend(measures)
        line.base = str(base)
        line.amount = str(amount)
        if rate is not None:
            line.rate = _rate(rate)
    if quote.missing_claims:
        response.missing_claims.extend(quote.missing_claims)
    if quote.assumptions:
        response.assumptions.extend(quote.assumptions)
    if quote.notes:
        response.notes.extend(notes_of(quote.notes))
    if quote.charges:
        response.charges.extend(map(_charge, quote.charges))
    if quote.prohibited:
        response.prohibited.extend(quote.prohibited)


def _fill_layer(message: duty_service_pb2.Layer, layer: QuoteLayer, form: duty_service_pb2.Layer) -> None:
    message.CopyFrom(form)
    message.heading = layer.heading
    message.state = _STATES[layer.state]
    rate = layer.priced.rate
    if rate is not None:
        message.rate = _rate(rate)
    message.base = str(layer.base)
    message.amount = amount = str(layer.amount)
    message.min = amount if layer.min is layer.amount else str(layer.min)
    message.max = amount if layer.max is layer.amount else str(layer.max)


def _with_reason(layer: QuoteLayer) -> duty_service_pb2.Layer:
    """Form of a layer with its reason, which is written once for all layers that share it."""
    key = layer.reason_key
    return _reasoned_form(layer) if key is None else _REASONS.get(key, partial(_reasoned_form, layer))


def _reasoned_form(layer: QuoteLayer) -> duty_service_pb2.Layer:
    form = duty_service_pb2.Layer()
    form.CopyFrom(_layer_form(layer.priced.row))
    form.why.update(layer.why)
    return form


def _layer_form(row: StackedRow) -> duty_service_pb2.Layer:
    """Fields that all layers of a row share; read only, and kept with the row, so that both go with their law."""
    form: duty_service_pb2.Layer | None = row.derived.get(_FORM)
    if form is None:
        measure = row.layer.active.measure
        form = duty_service_pb2.Layer(
            measure=measure.id, authority=measure.authority, citations=row.citations
        )
        row.derived[_FORM] = form
    return form


def _cents(amount: Decimal) -> str:
    return f"{amount:.2f}" if amount else "0.00"


@lru_cache(maxsize=_FORMS_KEPT)
def _rate(rate: Decimal) -> str:
    return f"{rate.normalize():f}"


def _charge(charge: Charge) -> duty_service_pb2.Charge:
    base = None if charge.base is None else f"{charge.base:f}"
    return message_of(duty_service_pb2.Charge, charge, base=base)


@lru_cache(maxsize=_FORMS_KEPT)
def considered_message(one: UnappliedMeasure) -> duty_service_pb2.Considered:
    """Convert a measure that did not apply; read only, as most are shared by many lines."""
    return message_of(duty_service_pb2.Considered, one)
