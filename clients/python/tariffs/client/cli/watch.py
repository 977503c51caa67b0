"""`tariffs watch`: events of portfolios."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Column

from tariffs.client._wire.csv_text import for_people
from tariffs.client.cli import options, outputs, table_options
from tariffs.client.cli.commands import Output, Outputs, Own, UnderLaw, add, command, with_options
from tariffs.client.cli.render.notes import print_footer
from tariffs.client.cli.render.table import console, right, text_table
from tariffs.client.client import Client
from tariffs.client.errors import InvalidRequest
from tariffs.client.results.watch import (
    EVENT_TITLES,
    PORTFOLIO_TITLES,
    Portfolio,
    WatchEvent,
    WatchResult,
    event_frame,
)

app = typer.Typer(no_args_is_help=True)
_SHOWN = 40
AsCsv = Annotated[bool, typer.Option("--csv", help="Print the events as CSV, a row an event.")]
Ahead = Annotated[
    list[str] | None,
    typer.Option("--ahead", metavar="DAYS", help="Days before a change to name it again. Default: 30."),
]
After = Annotated[
    int, typer.Option("--after", metavar="N", help="Of a portfolio: number of the last event that is known.")
]
Name = Annotated[str, typer.Argument(metavar="NAME", help="Portfolio: NAME or OWNER/NAME.")]
Top = Annotated[int, typer.Option("--top", metavar="N", min=1, help="Print only the last N events.")]


@add(
    app,
    "events",
    "tariffs watch events goods.csv --start 2026-07-01 --end 2026-10-10",
    "tariffs watch events goods.csv --ahead 30,7 --csv > events.csv",
)
@with_options(
    Own("--start", "DAY", "First day of knowledge. Default: 30 days before the last.", ""),
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
            metavar="FILE_OR_NAME",
            help="Table of lines (hts, origin, customs_value a year, line_id, quantity, claims, liquidation_date), or "
            "portfolio of the server: NAME or OWNER/NAME.",
        ),
    ],
    ahead: Ahead = None,
    after: After = 0,
    dead: Annotated[
        bool, typer.Option("--dead", help="Of a portfolio: only events that its webhook never took.")
    ] = False,
    mapping: table_options.Mapping = "",
    top: Top = _SHOWN,
    as_csv: AsCsv = False,
    refused: options.Refused = None,
    **given: Any,
) -> Output:
    """List the events of the lines of a file that became known in a period, or the stored events of a portfolio.

    Kinds: enacted, announced, ahead, rate_changed, heading_changed, claim_worth, refund_window. Amounts are USD a year
    on the volume of each line. The exit code is 1 if rows were refused; the others lose nothing by it.
    """
    if not lines.suffix and not lines.exists():
        return _stored(client, str(lines), after, dead, top, as_csv)
    outputs.check_files(None, refused)
    result = client.watch_events(table_options.source(lines, mapping), ahead=_days(ahead), **given)
    path = outputs.write_refused(result.refused, refused or outputs.refused_path(lines), result.provenance)
    document = outputs.document("watch", {**result.to_json_dict(), "refused_path": path})
    show = (lambda: print_csv(result.events)) if as_csv else (lambda: _print(result, top))
    return Output(document, show, 1 if result.refused.height else 0)


@add(
    app,
    "add",
    "tariffs watch add goods.csv --name spring-goods",
    "tariffs watch add goods.csv --name spring-goods --group desk --webhook https://hooks.example.com/tariffs "
    "--secret-file secret.txt",
)
@with_options(
    Own("--name", "NAME", "Name; one that is there gets these lines.", ..., str),
    Own("--since", "DAY", "First day of knowledge. Default: today.", ""),
    ...,
    Own("--group", "GROUP", "One of your groups, whose members see it.", ""),
    Own("--webhook", "URL", "Send events there, of a host that the server allows.", ""),
    Own("--secret-file", "FILE", "File of the text that signs what is sent.", kind=Path | None),
)
def add_portfolio(
    client: Client,
    lines: Annotated[Path, typer.Argument(metavar="FILE", help="Table of lines, as of `watch events`.")],
    ahead: Ahead = None,
    mapping: table_options.Mapping = "",
    refused: options.Refused = None,
    **given: Any,
) -> Output:
    """Save a portfolio on the server, which finds its events each day and under each new law."""
    outputs.check_files(None, refused)
    secret_file = given.pop("secret_file", None)
    secret = "" if secret_file is None else secret_file.read_text(encoding="utf-8").strip()
    table = table_options.source(lines, mapping)
    saved = client.save_portfolio(lines=table, ahead=_days(ahead), secret=secret, **given)
    path = outputs.write_refused(saved.refused, refused or outputs.refused_path(lines), {})
    document = {"portfolio": saved.portfolio, "refused_path": path}
    return Output(document, lambda: _print_portfolios([saved.portfolio]), 1 if saved.refused.height else 0)


@add(app, "list", "tariffs watch list")
def list_portfolios(client: Client) -> Output:
    """List your portfolios on the server and those shared with you."""
    found = client.portfolios()
    return Output({"portfolios": found}, lambda: _print_portfolios(found))


@add(app, "remove", "tariffs watch remove spring-goods")
def remove(client: Client, name: Name) -> Output:
    """Delete a portfolio with its events."""
    client.delete_portfolio(name)
    return Output({"name": name}, lambda: None)


@add(app, "release", "tariffs watch release ann/spring-goods")
def release(client: Client, name: Name) -> Output:
    """Let the events of a new law go out that touch more than 30 % of the lines; for admins."""
    found = client.release_portfolio(name)
    return Output(found.to_json_dict(), lambda: _print_portfolios([found]))


@app.command("follow", epilog=options.examples("tariffs watch follow spring-goods --after 120 --json"))
@command
def follow(client: Client, name: Name, after: After = 0, count: options.Count = 0) -> Outputs:
    """Print the events of a portfolio as they come, a line an event; --after goes on from the last one."""
    for one in islice(client.watch_portfolio(name, after=after), count or None):
        event = one.event
        words = f"{one.number}  {event.known_on}  {event.kind}  {event.line_id}  {event.text}"
        yield Output(one.to_json_dict(), partial(print, words))


def _stored(client: Client, name: str, after: int, dead: bool, top: int, as_csv: bool) -> Output:
    """List the stored events of a portfolio."""
    found = client.portfolio_events(name, after=after, delivery="dead" if dead else "")
    events = tuple(one.event for one in found)
    show = (lambda: print_csv(events)) if as_csv else (lambda: print_events(events, top))
    return Output(outputs.document("portfolio-events", {"events": found}), show)


def _print_portfolios(found: Sequence[Portfolio]) -> None:
    name, lines, *others = PORTFOLIO_TITLES
    columns: list[str | Column] = [name, *right(lines), *others]
    console().print(text_table(columns, (one.cells for one in found)))


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


def _print(result: WatchResult, top: int) -> None:
    if result.events:
        print_events(result.events, top)
    else:
        console().print("No events in these days.")
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
