"""RefundService: calculate refunds of duties on entries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tariffs.engine.errors import TariffsError
from tariffs.engine.law.law import IMPORT, Law
from tariffs.engine.law.notes import Note
from tariffs.engine.line_duty.entries import UnreadLine
from tariffs.engine.line_duty.entry_dates import known_on_text, moment_notes, read_user_moment
from tariffs.engine.line_duty.entry_line import EntryLine
from tariffs.engine.runs.refunds.refund import REFUND_COLUMNS, EntryRefund, RefundLine, RefundOptions, refunds
from tariffs.engine.scenario import Scenario, day_notes
from tariffs.engine.tables.dates import Moment
from tariffs.service.rpc.checks import decimal, rate, word
from tariffs.service.rpc.duty import check_size, date_formats, read_line, table_notes
from tariffs.service.rpc.messages import message_of
from tariffs.service.rpc.shared import law_asked, law_provenance, notes_of
from tariffs.service.wire.status import Cancelled, check_cancelled, failure_of
from tariffs.v1 import refund_service_pb2 as pb


def calculate_refunds(
    request: pb.CalculateRefundsRequest, cancelled: Cancelled
) -> pb.CalculateRefundsResponse:
    """Calculate the refunds of all lines; an invalid line is a failure in the response.

    Raises:
        TariffsError: BATCH_TOO_LARGE, or an invalid scenario, switch or option.
    """
    check_size([line.line.entry_id for line in request.lines])
    scenario, law = law_asked(request)
    formats = date_formats(request.table)
    lines: list[RefundLine | UnreadLine] = []
    for line in request.lines:
        check_cancelled(cancelled)
        try:
            lines.append(_line(line, formats))
        except TariffsError as error:
            lines.append(UnreadLine(line.line.entry_id, error))
    text = word(request.paid_on, "paid_on")
    paid_on = read_user_moment(text, law.zones[IMPORT], "paid_on") if text else None
    result = refunds(law, lines, _options(law, request, paid_on))
    notes = (
        *table_notes(law, request.table, request.known_on, REFUND_COLUMNS),
        *(moment_notes("paid_on", paid_on) if paid_on else ()),
        *result.notes,
        *_day_notes(scenario, result.entries),
    )
    response = pb.CalculateRefundsResponse(
        entries=[
            message_of(pb.EntryRefund, entry, indices=entry.lines, refused_count=entry.refused)
            for entry in result.entries
        ],
        headings=[message_of(pb.HeadingRefund, heading) for heading in result.headings],
        total={name: f"{amount:.2f}" for name, amount in result.total.items()},
        authorities=result.authority,
        notes=notes_of(notes),
        provenance=law_provenance(
            law, request, [scenario], known_on=known_on_text(law, request.known_on), switches=result.switches
        ),
    )
    for index, refusal in result.refused.items():
        response.failures[index].CopyFrom(failure_of(refusal))
    return response


def _options(law: Law, request: pb.CalculateRefundsRequest, paid_on: Moment | None) -> RefundOptions:
    given = request.interest_rate
    # A payer by name, or a rate below 1 as a decimal fraction.
    interest = (rate if given and not given.isalpha() else word)(given, "interest_rate")
    return RefundOptions(
        authority=tuple(word(node, "authorities") for node in request.authorities),
        rate=interest or None,
        paid_on=paid_on.instant.astimezone(law.zones[IMPORT]).date() if paid_on else None,
        known_on=word(request.known_on, "known_on") or None,
    )


def _day_notes(scenario: Scenario, entries: Iterable[EntryRefund]) -> list[Note]:
    days = [entry.day for entry in entries if entry.day]
    return day_notes(scenario, min(days), max(days)) if days else []


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
