"""List events of lines that become known in a period: DutyService.ListWatchEvents."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from tariffs.engine.errors import TariffsError
from tariffs.engine.law.law import IMPORT, Law
from tariffs.engine.law.notes import Note
from tariffs.engine.line_duty.entry_dates import read_user_moment
from tariffs.firm.watch import AHEAD_DAYS, watch_events
from tariffs.firm.watch_model import WatchLine
from tariffs.service.rpc.checks import few, word
from tariffs.service.rpc.duty import date_formats, read_line, table_notes
from tariffs.service.rpc.messages import message_of
from tariffs.service.rpc.shared import BASE, law_provenance, law_under, named_scenario, notes_of
from tariffs.service.wire.status import Cancelled, check_cancelled, failure_of, request_invalid
from tariffs.v1 import duty_service_pb2 as pb

LINES_LIMIT, AHEAD_LIMIT = 10_000, 10
LIQUIDATION_DATE = "liquidation_date"
_PERIOD = timedelta(days=30)


def list_watch_events(request: pb.ListWatchEventsRequest, cancelled: Cancelled) -> pb.ListWatchEventsResponse:
    """Find the events of lines; a line that cannot be read or rated is a failure in the response.

    Raises:
        TariffsError: too many lines, or an invalid day, switch or number of days ahead.
    """
    few(request.ahead, "ahead", AHEAD_LIMIT)
    base = named_scenario(BASE, "scenario")
    law = law_under(request.law_version, base, request.switches, request.min_confidence)
    end = day_of(law, request.end, "end") or law.as_of
    start = day_of(law, request.since, "since") or end - _PERIOD
    lines, faults = read_lines(law, request)
    places = list(lines)
    found = watch_events(
        law, list(lines.values()), start, end, ahead=tuple(request.ahead) or AHEAD_DAYS, cancelled=cancelled
    )
    check_cancelled(cancelled)
    notes: tuple[Note, ...] = table_notes(law, request.table, None, [LIQUIDATION_DATE])
    response = pb.ListWatchEventsResponse(
        events=[message_of(pb.WatchEvent, event) for event in found.events],
        notes=notes_of(notes),
        provenance=law_provenance(law, request, [base], known_on=end.isoformat(), since=start.isoformat()),
    )
    for index, fault in sorted(
        {**faults, **{places[one]: why for one, why in found.refused.items()}}.items()
    ):
        response.failures[index].CopyFrom(failure_of(fault))
    return response


def read_lines(
    law: Law, request: pb.ListWatchEventsRequest
) -> tuple[Mapping[int, WatchLine], Mapping[int, TariffsError]]:
    """Read the lines of a request by index, and the errors of those that cannot be read.

    Raises:
        InputError: REQUEST_INVALID for no line or too many.
    """
    few(request.lines, "lines", LINES_LIMIT)
    if not request.lines:
        raise request_invalid("lines is empty.", "lines", "Send at least one line.")
    formats = date_formats(request.table)
    lines: dict[int, WatchLine] = {}
    faults: dict[int, TariffsError] = {}
    ids: set[str] = set()
    for index, message in enumerate(request.lines):
        try:
            line = _line(law, message, formats, str(index + 1))
            if line.id in ids:
                text = f"line_id {line.id!r} is that of an earlier line."
                raise request_invalid(text, "line_id", "Give each line an id of its own.")
        except TariffsError as error:
            faults[index] = error
        else:
            ids.add(line.id)
            lines[index] = line
    return lines, faults


def day_of(law: Law, text: str, field: str, date_format: str = "") -> date | None:
    """Read a day; None for an empty text.

    Raises:
        InputError: ENTRY_DATE_INVALID.
    """
    if not word(text, field):
        return None
    return (
        read_user_moment(text, law.zones[IMPORT], field, date_format)
        .instant.astimezone(law.zones[IMPORT])
        .date()
    )


def _line(law: Law, message: pb.WatchLine, formats: Mapping[str, str], place: str) -> WatchLine:
    goods = read_line(message.line, formats)
    entered = day_of(law, message.line.entry, "entry_date", formats.get("entry_date", ""))
    liquidated = day_of(law, message.liquidation_date, LIQUIDATION_DATE, formats.get(LIQUIDATION_DATE, ""))
    return WatchLine(message.line.line_id or place, goods._replace(entry=None), entered, liquidated)
