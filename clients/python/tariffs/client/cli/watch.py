"""`tariffs watch`: events of lines, for people, files and receivers."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Column

from tariffs.client._wire.csv_text import for_people
from tariffs.client.cli import options, outputs, table_options, watch_delivery
from tariffs.client.cli.commands import Output, Own, UnderLaw, add, with_options
from tariffs.client.cli.render.notes import print_footer
from tariffs.client.cli.render.table import console, right, text_table
from tariffs.client.errors import InvalidRequest
from tariffs.client.results.watch import EVENT_TITLES, WatchEvent, WatchResult, event_frame

app = typer.Typer(no_args_is_help=True)
_SHOWN = 40


@add(
    app,
    "events",
    "tariffs watch events goods.csv --since 2026-07-01 --end 2026-10-10",
    "tariffs watch events goods.csv --ahead 30,7 --csv > events.csv",
    "tariffs watch events goods.csv --state seen.json --post https://hooks.example.com/tariffs",
)
@with_options(
    Own("--since", "DAY", "First day of knowledge. Default: 30 days before the last.", ""),
    Own("--end", "DAY", "Last day of knowledge. Default: the law's as-of day.", ""),
    "switches",
    "min_confidence",
    "date_format",
)
def events(
    client: UnderLaw,
    lines: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="Table of lines: hts, origin, customs_value a year, line_id, quantity, claims, liquidation_date.",
        ),
    ],
    ahead: Annotated[
        list[str] | None,
        typer.Option("--ahead", metavar="DAYS", help="Days before a change to name it again. Default: 30."),
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option(
            "--state",
            metavar="FILE",
            help="File of what was listed before; only other events are listed, from 30 days before its last day.",
        ),
    ] = None,
    post: Annotated[
        str,
        typer.Option(
            "--post",
            metavar="URL",
            help="Post each event there, as a CloudEvent; https outside this machine.",
        ),
    ] = "",
    secret_file: Annotated[
        Path | None,
        typer.Option("--secret-file", metavar="FILE", help="File of the text that signs what is posted."),
    ] = None,
    mapping: table_options.Mapping = "",
    top: Annotated[
        int, typer.Option("--top", metavar="N", min=1, help="Print only the last N events.")
    ] = _SHOWN,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print the events as CSV, a row an event.")] = False,
    refused: options.Refused = None,
    **given: Any,
) -> Output:
    """List the events of the lines of a file that became known in a period.

    Kinds: enacted, announced, ahead, rate_changed, heading_changed, claim_worth, refund_window. Amounts are USD a year
    on the volume of each line. The exit code is 1 if rows were refused; the others lose nothing by it. With --state a
    scheduler can run it every hour, and each event is listed and posted once.
    """
    outputs.check_files(None, refused)
    receiver = watch_delivery.receiver_of(post, secret_file)
    seen = watch_delivery.Seen.read(state)
    given["since"] = given.get("since") or seen.since
    result = client.watch_events(table_options.source(lines, mapping), ahead=_days(ahead), **given)
    path = outputs.write_refused(result.refused, refused or outputs.refused_path(lines), result.provenance)
    new = seen.new(result.events)
    if receiver:
        watch_delivery.deliver(receiver, new, seen)
    seen.write(result)
    plain = {**result.to_json_dict(), "events": [one.to_json_dict() for one in new], "refused_path": path}
    show = (lambda: print_csv(new)) if as_csv else (lambda: _print(result, new, top))
    return Output(outputs.document("watch", plain), show, 1 if result.refused.height else 0)


def print_csv(found: Iterable[WatchEvent]) -> None:
    """Print events as CSV, without cells that a spreadsheet would compute."""
    sys.stdout.write(for_people(event_frame(found)).write_csv())


def print_events(found: tuple[WatchEvent, ...], top: int) -> None:
    """Print the last events, one per row."""
    out = console()
    *words, amount, why = EVENT_TITLES
    columns: list[str | Column] = [*words, *right(amount), why]
    out.print(text_table(columns, (one.cells for one in found[-top:])))
    if len(found) > top:
        out.print(f"[dim]The last {top} of {len(found):,} events; --top and --csv print more.[/dim]")


def _print(result: WatchResult, new: tuple[WatchEvent, ...], top: int) -> None:
    if new:
        print_events(new, top)
    else:
        console().print(
            "No events in these days." if not result.events else "No events that were not listed before."
        )
    print_footer(console(), result.provenance)


def _days(given: list[str] | None) -> list[int]:
    try:
        return [int(text) for text in options.keys(given or [])]
    except ValueError:
        raise InvalidRequest(
            "REQUEST_INVALID",
            f"--ahead is {', '.join(given or [])}.",
            field="ahead",
            fix="Give days such as 30,7.",
        ) from None
