"""Stored portfolios as messages: their events, and what a new law makes of them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from google.protobuf.json_format import MessageToDict

from tariffs.engine.errors import InputError
from tariffs.engine.law.law import IMPORT
from tariffs.engine.line_duty.entry_line import EntryLine
from tariffs.firm.watch_model import Standing, WatchLine, corrections
from tariffs.service.rpc.checks import word
from tariffs.service.rpc.laws import LAWS
from tariffs.service.rpc.messages import message_of, time_text
from tariffs.service.rpc.watch import day_of
from tariffs.service.settings.group import Webhooks
from tariffs.service.storage.portfolio_store import FoundEvents, NewPortfolio
from tariffs.service.wire.status import request_invalid
from tariffs.v1 import watch_service_pb2 as pb

LINES_A_TASK = 1000
HELD_SHARE = 0.3
"""Share of the lines of a portfolio that a new law may touch without waiting for an admin."""
SECRET_LEAST = 16
_KIND = "WATCH_EVENT_KIND_"
_URL_LIMIT = 2000


def today() -> date:
    """Return the day in US Eastern time."""
    return datetime.fromtimestamp(time.time(), LAWS.named("").zones[IMPORT]).date()


def events_request(request: pb.SavePortfolioRequest, day: date) -> pb.ListWatchEventsRequest:
    """Make the request for the events of a portfolio on a day, its lines named by their places where they have no id.

    Raises:
        InputError: ENTRY_DATE_INVALID, or REQUEST_INVALID for a first day that is after it.
    """
    since = day_of(LAWS.named(""), request.since, "since") or day
    if since > day:
        raise request_invalid(f"since is {since}, after {day}.", "since", "Give today or a day before.")
    asked = pb.ListWatchEventsRequest(
        lines=request.lines,
        ahead=request.ahead,
        table=request.table,
        start=day.isoformat(),
        end=day.isoformat(),
    )
    for place, line in enumerate(asked.lines, 1):
        line.line.line_id = line.line.line_id or str(place)
    return asked


def new_portfolio(
    request: pb.SavePortfolioRequest, asked: pb.ListWatchEventsRequest, refused: int
) -> NewPortfolio:
    """Make the portfolio to store of a request and of the request for its events."""
    count = len(asked.lines)
    if refused == count:
        raise request_invalid(
            "No line can be rated.", "lines", "`tariffs watch events FILE` says what is wrong."
        )
    since = day_of(LAWS.named(""), request.since, "since")
    data = asked.SerializeToString(deterministic=True)
    first = since.isoformat() if since else asked.end
    group = word(request.group, "group")
    return NewPortfolio(
        word(request.name, "name"), data, count, refused, first, group, request.webhook, request.secret
    )


def check_webhook(url: str, secret: str, settings: Webhooks) -> None:
    """Check the address and the secret of a webhook, before it is stored and before each delivery.

    Raises:
        InputError: REQUEST_INVALID.
    """
    host, fault = "", ""
    try:
        parts = urlsplit(url)
        host, _ = (parts.hostname or "").lower(), parts.port
    except ValueError:
        fault = "is no URL"
    else:
        if not url.isascii() or not url.isprintable() or " " in url or len(url) > _URL_LIMIT:
            fault = "is no URL"
        elif parts.scheme != "https" and not (parts.scheme == "http" and settings.webhook_private):
            fault = "is not an https URL"
        elif parts.username is not None or parts.password is not None or parts.fragment:
            fault = "has a user, password or fragment"
        elif host not in settings.hosts:
            fault = f"names {host!r}, to which this server sends no events"
    if fault:
        raise InputError(
            "REQUEST_INVALID", f"webhook {fault}.", field="webhook",
            fix="Give an https URL of a host that the operators of the server allow (TARIFFS_WEBHOOK_HOSTS).",
        )  # fmt: skip
    if len(secret) < SECRET_LEAST:
        raise InputError(
            "REQUEST_INVALID", f"The secret of the webhook has fewer than {SECRET_LEAST} characters.", field="secret",
            fix="Give a long random text; it signs each delivery.",
        )  # fmt: skip


def portfolio_message(row: Any) -> pb.Portfolio:
    """Return a stored portfolio as a message; its secret stays here."""
    request = pb.ListWatchEventsRequest.FromString(row.request)
    law_version, _, _ = row.law.partition("@")
    return message_of(
        pb.Portfolio, row, name=f"{row.owner}/{row.name}", ahead=request.ahead, law_version=law_version,
        watched_to=row.day, held_line_count=row.held_lines, held_law_version=row.held_law.partition("@")[0],
        create_time=time_text(row.created),
    )  # fmt: skip


def event_message(row: Any) -> pb.PortfolioEvent:
    """Return a stored event as a message."""
    event = pb.WatchEvent.FromString(row.event)
    return message_of(pb.PortfolioEvent, row, event=event, time=time_text(row.happened))


def event_data(row: Any) -> dict[str, Any]:
    """Return a stored event as plain data: its fields, amounts as text, and its number."""
    event = pb.WatchEvent.FromString(row.event)
    plain = MessageToDict(event, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
    return plain | {"kind": plain["kind"].removeprefix(_KIND).lower(), "number": row.number}


def requests_of(row: Any, law: str, start: str, end: str) -> Iterator[pb.ListWatchEventsRequest]:
    """Yield the requests for the events of a portfolio under a law in a period, each with some of its lines."""
    whole = pb.ListWatchEventsRequest.FromString(row.request)
    for first in range(0, len(whole.lines), LINES_A_TASK):
        request = pb.ListWatchEventsRequest(
            start=start, end=end, ahead=whole.ahead, law_version=law, table=whole.table,
            lines=whole.lines[first : first + LINES_A_TASK],
        )  # fmt: skip
        yield request


def found_of(law: str, day: str, answers: Iterable[pb.ListWatchEventsResponse]) -> FoundEvents:
    """Join the answers about a portfolio."""
    joined = pb.ListWatchEventsResponse()
    for answer in answers:
        joined.events.extend(answer.events)
        joined.standings.extend(answer.standings)
    events = {one.id: one.SerializeToString(deterministic=True) for one in _ordered(joined.events)}
    return FoundEvents(
        law, day, events, pb.ListWatchEventsResponse(standings=joined.standings).SerializeToString()
    )


def after_swap(row: Any, found: FoundEvents, known: frozenset[str]) -> tuple[FoundEvents, int]:
    """Add to what a new law gives the lines that it moves without an event; also count the lines that it touches.

    Args:
        row: the portfolio with its standings under the law before.
        found: its events under the new law, and its standings on the same day.
        known: ids of the events that it has.
    """
    new = [pb.WatchEvent.FromString(event) for name, event in found.events.items() if name not in known]
    moved = {event.line_id for event in new}
    lines = [
        WatchLine(line.line.line_id, EntryLine(line.line.hts, line.line.origin, 0))
        for line in pb.ListWatchEventsRequest.FromString(row.request).lines
        if line.line.line_id not in moved
    ]
    before, after = (_standings(data) for data in (row.standings or b"", found.standings))
    more = [
        message_of(pb.WatchEvent, one)
        for one in corrections(lines, before, after, date.fromisoformat(found.day))
    ]
    events = dict(found.events) | {one.id: one.SerializeToString(deterministic=True) for one in more}
    return FoundEvents(found.law, found.day, events, found.standings), len(
        moved | {one.line_id for one in more}
    )


def _ordered(events: Iterable[pb.WatchEvent]) -> list[pb.WatchEvent]:
    return sorted(events, key=lambda one: (one.known_on, one.line_id, one.kind, one.id))


def _standings(data: bytes) -> dict[str, Standing]:
    return {
        one.line_id: Standing(Decimal(one.assessed), tuple(one.headings))
        for one in pb.ListWatchEventsResponse.FromString(data).standings
    }
