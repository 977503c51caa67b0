"""RefundService: calculate refunds of duties on entries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal

from tariffs.engine.base.provenance import law_facts
from tariffs.engine.errors import TariffsError
from tariffs.engine.law.law import IMPORT, Law
from tariffs.engine.law.notes import Note
from tariffs.engine.line_duty.entries import UnreadLine
from tariffs.engine.line_duty.entry_dates import known_on_text, moment_notes, read_user_moment
from tariffs.engine.line_duty.entry_line import EntryLine
from tariffs.engine.runs.refunds.refund import (
    REFUND_COLUMNS,
    EntryRefund,
    RefundLine,
    RefundOptions,
    refunds,
)
from tariffs.engine.scenario import Scenario, day_notes, scenario_facts
from tariffs.engine.tables.dates import Moment
from tariffs.service.rpc.checks import decimal, rate, word
from tariffs.service.rpc.duty import check_size, read_line
from tariffs.service.rpc.messages import message_of
from tariffs.service.rpc.shared import law_under, notes_of, provenance_of, scenario_of
from tariffs.service.rpc.table_forms import date_formats, table_notes
from tariffs.service.wire.status import cancelled_error, failure_of
from tariffs.v1 import refund_service_pb2 as pb


def calculate_refunds(
    request: pb.CalculateRefundsRequest,
    emit: Callable[[pb.CalculateRefundsResponse], None],
    cancelled: Callable[[], bool],
) -> None:
    """Emit one response for all lines; an invalid line is a failure in it.

    Raises:
        TariffsError: BATCH_TOO_LARGE, or an invalid scenario, switch or option.
    """
    check_size([line.line.entry_id for line in request.lines])
    scenario = scenario_of(request.scenario, "scenario")
    law = law_under(request.law_version, scenario, request.switches, request.min_confidence)
    formats = date_formats(request.table)
    lines: list[RefundLine | UnreadLine] = []
    for line in request.lines:
        if cancelled():
            raise cancelled_error()
        try:
            lines.append(_line(line, formats))
        except TariffsError as error:
            lines.append(UnreadLine(line.line.entry_id, error))
    result = refunds(law, lines, _options(law, request))
    response = pb.CalculateRefundsResponse(
        entries=[
            message_of(pb.EntryRefund, entry, indices=entry.lines, refused_count=entry.refused)
            for entry in result.entries
        ],
        headings=[message_of(pb.HeadingRefund, heading) for heading in result.headings],
        total={name: f"{amount:.2f}" for name, amount in result.total.items()},
        authorities=result.authority,
        notes=notes_of((*_notes(law, request), *result.notes, *_day_notes(scenario, result.entries))),
        provenance=provenance_of(
            {
                **law_facts(law),
                "known_on": known_on_text(law, request.known_on),
                **scenario_facts([scenario]),
                "switches": result.switches,
            },
            request,
        ),
    )
    for index, refusal in result.refused.items():
        response.failures[index].CopyFrom(failure_of(refusal))
    emit(response)


def _paid_on(law: Law, request: pb.CalculateRefundsRequest) -> Moment | None:
    text = word(request.paid_on, "paid_on")
    return read_user_moment(text, law.zones[IMPORT], "paid_on") if text else None


def _options(law: Law, request: pb.CalculateRefundsRequest) -> RefundOptions:
    paid_on = _paid_on(law, request)
    zone = law.zones[IMPORT]
    return RefundOptions(
        authority=tuple(word(node, "authorities") for node in request.authorities),
        rate=_interest_rate(request.interest_rate) if request.interest_rate else None,
        paid_on=paid_on.instant.astimezone(zone).date() if paid_on else None,
        known_on=word(request.known_on, "known_on") or None,
    )


def _day_notes(scenario: Scenario, entries: Iterable[EntryRefund]) -> list[Note]:
    days = [entry.day for entry in entries if entry.day]
    return day_notes(scenario, min(days), max(days)) if days else []


def _interest_rate(text: str) -> str | Decimal:
    """A payer by name, or a rate below 1 as a decimal fraction."""
    return word(text, "interest_rate") if text.isalpha() else rate(text, "interest_rate")


def _notes(law: Law, request: pb.CalculateRefundsRequest) -> tuple[Note, ...]:
    paid_on = _paid_on(law, request)
    notes = moment_notes("paid_on", paid_on) if paid_on else ()
    return (*table_notes(law, request.table, request.known_on, REFUND_COLUMNS), *notes)


def _line(line: pb.RefundLine, formats: Mapping[str, str]) -> RefundLine:
    entry: EntryLine = read_line(line.line)._replace(date_formats=formats)
    return RefundLine(
        entry,
        word(line.liquidation, "liquidation"),
        word(line.liquidation_date, "liquidation_date"),
        word(line.deposit_date, "deposit_date"),
        decimal(line.drawback, "drawback", "CHARGE_INVALID") if line.drawback else 0,
        word(line.reliquidation_date, "reliquidation_date"),
    )
