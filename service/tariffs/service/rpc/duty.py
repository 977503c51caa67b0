"""DutyService: quote the duty on entry lines, one or many, of imports and exports."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from tariffs.engine.errors import TariffsError
from tariffs.engine.law import Law
from tariffs.engine.law.law import EXPORT, IMPORT
from tariffs.engine.law.notes import Note
from tariffs.engine.law.values import UnitRate
from tariffs.engine.line_duty.class_profile import ClassProfile, cached_profile, compiles_soon, profile_of
from tariffs.engine.line_duty.coarse_codes import is_coarse, resolve_coarse_line
from tariffs.engine.line_duty.entries import UnreadLine, rate_entries
from tariffs.engine.line_duty.entry_dates import known_on_notes, known_on_text, unread_of
from tariffs.engine.line_duty.entry_line import ZERO, EntryLine, OtherCharge, ResolvedLine, resolve_line
from tariffs.engine.line_duty.exports import ExportLine, quote_export
from tariffs.engine.line_duty.quote import price
from tariffs.engine.line_duty.unapplied import UnappliedMeasure
from tariffs.engine.line_duty.why_not import soon_why_not, why_not
from tariffs.engine.scenario import Scenario, day_notes, library, scenario_facts
from tariffs.engine.schedule.lines import load_schedule
from tariffs.engine.tables.columns import contract_types
from tariffs.engine.tables.dates import format_of, read_format
from tariffs.engine.tables.sources import near_misses
from tariffs.service.rpc.checks import amount, choice, decimal, direction_of, few, rate, required, word, words
from tariffs.service.rpc.field_masks import trim
from tariffs.service.rpc.laws import LAWS
from tariffs.service.rpc.messages import message_of
from tariffs.service.rpc.quotes import considered_message, fill_entry, fill_quote, response_of
from tariffs.service.rpc.shared import (
    BASE,
    law_asked,
    law_key,
    law_of,
    law_provenance,
    notes_of,
    provenance_of,
)
from tariffs.service.wire.status import Cancelled, failure_of, request_invalid, too_large
from tariffs.v1 import common_pb2, duty_service_pb2

BATCH_LIMIT, ENTRY_LIMIT = 1000, 3000
"""Lines of a batch of any entries, and of one that is a single entry, whose fees are computed together."""
CHARGES_LIMIT = 100
_NO_FORMATS: Mapping[str, str] = {}
_NO_CLAIMS: Mapping[str, Any] = {}
_IMPORTS = (common_pb2.DIRECTION_UNSPECIFIED, common_pb2.DIRECTION_IMPORT)
TEXTS_LIMIT = 2000
CHARGE_COLUMNS = ("adcvd", "excise", "other_charges")
"""Columns that entry tables have and trade tables do not."""


def calculate_duty(request: duty_service_pb2.CalculateDutyRequest) -> duty_service_pb2.CalculateDutyResponse:
    """Quote one line; raises TariffsError for an invalid line, scenario or switch."""
    line = read_line(request.line)
    if direction_of(request.direction) == EXPORT:
        return calculate_export(request, line)
    if request.to:
        LAWS.named(request.law_version).market_of(IMPORT, word(request.to, "to"))
    scenario, law = law_asked(request)
    resolved = resolve_coarse_line(law, line, word(request.known_on, "known_on") or None, load_schedule())
    profile = profile_of(law, resolved)
    considered = why_not(law, resolved, profile) if request.explain else ()
    return _respond(request, scenario, law, resolved, profile, considered)


def duty_from_memory(
    request: duty_service_pb2.CalculateDutyRequest,
    on_compile: Callable[[duty_service_pb2.CalculateDutyRequest], None] = lambda request: None,
) -> duty_service_pb2.CalculateDutyResponse | None:
    """Return the response of `calculate_duty` if the class of the goods is compiled, or soon is; else None.

    Args:
        on_compile: called with the request if its class of goods is compiled here.

    Raises:
        TariffsError: an invalid line, or LAW_VERSION_NOT_FOUND.
    """
    if request.direction not in _IMPORTS or request.scenario.yaml or request.to:
        return None
    line = read_line(request.line)
    scenario = library().get(request.scenario.name or BASE)
    if scenario is None or request.parameters:
        return None
    base = LAWS.ready(request.law_version)
    if base is None:
        return None
    law = law_of(law_key(base, scenario, request.switches, request.min_confidence))
    if law is None or is_coarse(load_schedule(), line.hts):
        return None
    resolved = resolve_line(law, line, word(request.known_on, "known_on") or None, load_schedule())
    profile = cached_profile(law, resolved)
    if profile is None:
        if not compiles_soon(law, resolved):
            return None
        on_compile(request)
        profile = profile_of(law, resolved)
    considered = soon_why_not(law, resolved, profile) if request.explain else ()
    return None if considered is None else _respond(request, scenario, law, resolved, profile, considered)


def _respond(
    request: duty_service_pb2.CalculateDutyRequest,
    scenario: Scenario,
    law: Law,
    line: ResolvedLine,
    profile: ClassProfile,
    considered: Sequence[UnappliedMeasure],
) -> duty_service_pb2.CalculateDutyResponse:
    quote = price(law, line, profile)
    response = response_of(quote, scenario, request)
    response.notes.extend(notes_of(day_notes(scenario, line.day, line.day)))
    if request.explain:
        response.considered.extend(map(considered_message, considered))
    return trim(response, request.read_mask.paths) if request.HasField("read_mask") else response


def calculate_duties(
    request: duty_service_pb2.BatchCalculateDutiesRequest, cancelled: Cancelled
) -> duty_service_pb2.BatchCalculateDutiesResponse:
    """Quote many lines; an invalid line is a failure in the response.

    Raises:
        TariffsError: BATCH_TOO_LARGE, or an invalid scenario, switch or mask.
    """
    check_size([line.entry_id for line in request.lines])
    scenario, law = law_asked(request)
    known_on = word(request.known_on, "known_on") or None
    formats = date_formats(request.table)
    lines = [_line_or_error(line, formats) for line in request.lines]
    response = duty_service_pb2.BatchCalculateDutiesResponse()
    mask, days, switches = tuple(request.read_mask.paths), list[date | None](), dict[str, str]()
    for entry in rate_entries(law, lines, known_on=known_on, cancelled=cancelled):
        fill_entry(response.entries.add(), entry.total)
        days.append(entry.last_day)
        for index, outcome in zip(entry.total.lines, entry.outcomes, strict=True):
            if isinstance(outcome, TariffsError):
                response.failures[index].CopyFrom(failure_of(outcome))
                continue
            message = response.quotes.add()
            message.index = index
            fill_quote(message.quote, outcome)
            switches.update(outcome.provenance["switches"])
            trim(message.quote, mask)
    _order(response.quotes, request.lines)
    entered = [day for day in days if day]
    asked = day_notes(scenario, min(entered), max(entered)) if entered else []
    undated, unread = _undated(law, request.lines), unread_of(law, entered, known_on)
    notes = (*undated, *table_notes(law, request.table, known_on), *unread, *asked)
    response.notes.extend(notes_of(notes))
    known = known_on_text(law, known_on)
    provenance = law_provenance(law, request, [scenario], known_on=known, switches=switches)
    response.provenance.CopyFrom(provenance)
    return response


def _undated(law: Law, lines: Sequence[duty_service_pb2.EntryLine]) -> tuple[Note, ...]:
    """Note that lines without an entry date were rated on the as-of day; rows that were not read count for nothing."""
    if all(line.entry or not line.hts for line in lines):
        return ()
    text = f"Lines without an entry date were rated on {law.as_of}, the as-of day of the law."
    return (Note("ENTRY_DATE_ASSUMED", text),)


def _order(quotes: Any, lines: Sequence[duty_service_pb2.EntryLine]) -> None:
    """Put quotes, which come entry by entry, in the order of their lines, and name the lines."""
    quotes.sort(key=lambda quote: quote.index)
    for quote in quotes:
        line = lines[quote.index]
        quote.line_id, quote.entry_id = line.line_id, line.entry_id


def check_size(entry_ids: Sequence[str]) -> None:
    """Check the number of lines of a batch, given the entry of each; raises BATCH_TOO_LARGE or REQUEST_INVALID."""
    if not entry_ids:
        raise request_invalid("lines is empty.", "lines", "Send at least one line.")
    single = entry_ids[0] and len(set(entry_ids)) == 1
    limit = ENTRY_LIMIT if single else BATCH_LIMIT
    if len(entry_ids) > limit:
        raise too_large(
            f"The batch has {len(entry_ids):,} lines; the limit is {limit:,}.",
            "lines",
            f"Split the entry: its fees need all its lines, at most {ENTRY_LIMIT:,}, in one batch."
            if single
            else "Send several batches, with all lines of an entry in one batch.",
            len(entry_ids),
            limit,
        )


def _line_or_error(line: duty_service_pb2.EntryLine, formats: Mapping[str, str]) -> EntryLine | UnreadLine:
    try:
        return read_line(line, formats)
    except TariffsError as error:
        return UnreadLine(line.entry_id, error)


def read_line(line: duty_service_pb2.EntryLine, formats: Mapping[str, str] = _NO_FORMATS) -> EntryLine:
    """Convert a line, with the date formats of its table, to the engine's form.

    Raises:
        InputError: naming the invalid field.
    """
    word(line.line_id, "line_id")
    few(line.other_charges, "other_charges", CHARGES_LIMIT)
    return EntryLine(
        hts=required(line.hts, "hts", "Use an HTS code of 4 to 10 digits."),
        origin=required(line.origin, "origin", "Use the ISO 3166-1 alpha-2 code of the country of origin."),
        value=amount(line.customs_value, "customs_value", "CUSTOMS_VALUE_INVALID"),
        entry=word(line.entry, "entry_date") or None,
        claims=_claims(line.claims) if line.HasField("claims") else _NO_CLAIMS,
        quantity=amount(line.quantity, "quantity", "QUANTITY_INVALID") if line.quantity else None,
        unit=word(line.unit, "unit"),
        mode=choice(common_pb2.TransportMode.DESCRIPTOR, line.mode, "mode"),
        freight=_charge_text(line.freight, "freight"),
        insurance=_charge_text(line.insurance, "insurance"),
        other_charges=tuple(map(_other_charge, line.other_charges)),
        entry_id=word(line.entry_id, "entry_id"),
        ordinary_rate=rate(line.ordinary_rate, "ordinary_rate") if line.HasField("ordinary_rate") else None,
        date_formats=formats,
    )


def _charge_text(text: str, field: str) -> Decimal | str:
    return amount(text, field, "CHARGE_INVALID") if text else ZERO


def _other_charge(charge: duty_service_pb2.OtherCharge) -> OtherCharge:
    kind = choice(duty_service_pb2.ChargeKind.DESCRIPTOR, charge.kind, "other_charges.kind")
    size, label = charge.WhichOneof("size"), word(charge.label, "other_charges.label")
    if size is None:
        return OtherCharge(kind, label=label)
    if size == "per_unit":
        usd = decimal(charge.per_unit.usd, f"other_charges.{kind}", "CHARGE_INVALID")
        unit = word(charge.per_unit.unit, "other_charges.unit")
        return OtherCharge(kind, per_unit=UnitRate(usd, unit), label=label)
    number = decimal(getattr(charge, size), f"other_charges.{kind}", "CHARGE_INVALID")
    if size == "rate":
        return OtherCharge(kind, rate=number, label=label)
    return OtherCharge(kind, amount=number, label=label)


def _claims(claims: duty_service_pb2.Claims) -> Mapping[str, Any]:
    """Return the declared claims: set fields by name, and the others as text."""
    declared = {field.name: value for field, value in claims.ListFields() if field.name != "others"}
    if claims.processing_value:
        declared["processing_value"] = amount(
            claims.processing_value, "claims.processing_value", "CLAIM_INVALID"
        )
    return {**words(claims.others, "claims"), **declared}


def calculate_export(
    request: duty_service_pb2.CalculateDutyRequest, line: EntryLine
) -> duty_service_pb2.CalculateDutyResponse:
    """Quote one export line.

    Raises:
        TariffsError: an invalid line, scenario or switch.
    """
    if line.other_charges:
        raise request_invalid(
            "other_charges apply to the landed cost of imports only.",
            "other_charges",
            "Omit them; freight and insurance have separate fields.",
        )
    scenario, law = law_asked(request)
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


def date_formats(table: common_pb2.TableForm) -> dict[str, str]:
    """Return the date format of each column: that of the request, else the one inferred from the column's texts.

    Raises:
        InputError: REQUEST_INVALID for an unknown format or too many columns or texts.
    """
    stated = read_format(word(table.date_format, "table.date_format"))
    few(table.dates, "table.dates")
    formats = {}
    for one in table.dates:
        few(one.texts, "table.dates.texts", TEXTS_LIMIT)
        name = word(one.column, "table.dates.column")
        formats[name] = stated or format_of(word(text, "table.dates.texts") for text in one.texts)
    return formats


def table_notes(
    law: Law, table: common_pb2.TableForm, known_on: str | None, further: Sequence[str] = ()
) -> tuple[Note, ...]:
    """Make the notes on a batch's table, which may have `further` columns besides those of a line, and its options.

    Raises:
        InputError: REQUEST_INVALID for too many columns or names too long.
    """
    few(table.columns, "table.columns")
    own = [word(name, "table.columns") for name in table.columns]
    remarks = near_misses(own, [*contract_types(law.claims), *CHARGE_COLUMNS, *further])
    return (*(Note("COLUMN_UNREAD", text) for text in remarks), *known_on_notes(law, known_on))
