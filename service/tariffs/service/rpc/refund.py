"""RefundService: what comes back of entries."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tariffs.engine.entries import Unread
from tariffs.engine.entryline import EntryLine
from tariffs.engine.errors import InputError, ServiceError, TariffsError
from tariffs.engine.law.text import read_day
from tariffs.engine.provenance import engine_version
from tariffs.engine.refund import TOTALS, EntryRefund, HeadingRefund, RefundLine, RefundOptions, refunds
from tariffs.service.rpc.checks import decimal, word
from tariffs.service.rpc.duty import BATCH_LIMIT, read_line
from tariffs.service.rpc.shared import day_text, law_under, notes_of, provenance_of, scenario_of
from tariffs.service.status import failure_of
from tariffs.v1 import refund_service_pb2 as pb


def calculate_refunds(
    request: pb.CalculateRefundsRequest,
    emit: Callable[[pb.CalculateRefundsResponse], None],
    cancelled: Callable[[], bool],
) -> None:
    """Emit one answer on all lines; a line that cannot be rated is a failure in it.

    Raises:
        TariffsError: BATCH_TOO_LARGE above 1,000 lines, or what is wrong with the scenario, a switch or an option.
    """
    if not 0 < len(request.lines) <= BATCH_LIMIT:
        raise InputError(
            "BATCH_TOO_LARGE" if request.lines else "REQUEST_INVALID",
            f"The request has {len(request.lines):,} lines.",
            field="lines",
            fix=f"Send 1 to {BATCH_LIMIT:,}, all lines of an entry in one request.",
        )
    scenario = scenario_of(request.scenario, "scenario")
    law = law_under(scenario, request.switches, request.min_confidence)
    lines: list[RefundLine | Unread] = []
    for line in request.lines:
        if cancelled():
            raise ServiceError("CANCELLED", "The caller cancelled the call.")
        try:
            lines.append(_line(line))
        except TariffsError as error:
            lines.append(Unread(line.line.entry_id, error))
    found = refunds(law, lines, _options(request))
    answer = pb.CalculateRefundsResponse(
        entries=[_entry(entry) for entry in found.entries],
        headings=_headings(found.headings),
        total={name: f"{amount:.2f}" for name, amount in found.total.items()},
        authorities=found.authority,
        provenance=provenance_of(
            {
                "law_version": law.version,
                "law_digest": law.digest,
                "engine_version": engine_version(),
                "known_on": request.known_on or law.as_of,
                "scenarios": {scenario.id: scenario.digest},
                "switches": found.switches,
            },
            request,
        ),
    )
    for index, refusal in found.refused.items():
        answer.failures[index].CopyFrom(failure_of(refusal))
    emit(answer)


def _options(request: pb.CalculateRefundsRequest) -> RefundOptions:
    rate = request.interest_rate
    try:
        paid_on = read_day(request.paid_on) if request.paid_on else None
    except ValueError as error:
        raise InputError(
            "ENTRY_DATE_INVALID", f"{error}.", field="paid_on", fix="Write YYYY-MM-DD."
        ) from None
    return RefundOptions(
        authority=tuple(word(node, "authorities") for node in request.authorities),
        rate=decimal(rate, "interest_rate", "PARAMETER_INVALID") if rate else None,
        paid_on=paid_on,
        known_on=word(request.known_on, "known_on") or None,
    )


def _line(line: pb.RefundLine) -> RefundLine:
    entry: EntryLine = read_line(line.line)
    return RefundLine(
        entry,
        word(line.liquidation, "liquidation"),
        word(line.liquidation_date, "liquidation_date"),
        word(line.deposit_date, "deposit_date"),
        decimal(line.drawback, "drawback", "CHARGE_INVALID") if line.drawback else 0,
    )


def _entry(entry: EntryRefund) -> pb.EntryRefund:
    return pb.EntryRefund(
        entry_id=entry.entry_id,
        day=day_text(entry.day),
        indices=entry.lines,
        refused_count=entry.refused,
        liquidation=entry.liquidation,
        route=entry.route,
        route_from=entry.route_from,
        **{name: f"{getattr(entry, name):.2f}" for name in TOTALS},
        headings=_headings(entry.headings),
        notes=notes_of(entry.notes),
    )


def _headings(headings: Iterable[HeadingRefund]) -> list[pb.HeadingRefund]:
    return [
        pb.HeadingRefund(
            measure=one.measure,
            heading=one.heading,
            start=one.start,
            end=one.end,
            deposited=f"{one.deposited:.2f}",
            assessed=f"{one.assessed:.2f}",
            owed=f"{one.owed:.2f}",
            refundable=f"{one.refundable:.2f}",
        )
        for one in headings
    ]
