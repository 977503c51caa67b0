"""`tariffs audit`: verify and show the audit record of a server, without the server."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

from tariffs.client.cli import options
from tariffs.client.cli.commands import Output, Own, add, with_options
from tariffs.client.cli.render.table import console, text_table
from tariffs.client.errors import module_of

app = typer.Typer(no_args_is_help=True)
Record = Annotated[
    Path | None,
    typer.Argument(metavar="PATH", help="Directory of the record (TARIFFS_AUDIT), or one of its files."),
]
Database = Annotated[
    str | None, typer.Option("--database", metavar="URL", help="Database of the record, in place of a path.")
]
_COMMANDS = "tariffs.service.storage.audit.verify"
_FILTERS = (
    Own("--who", None, "Caller."),
    Own("--verb", None, "Service and method, such as DutyService/CalculateDuty."),
    Own("--kind", None, "call, run, opened, closed, recovered or lost."),
    Own("--code", None, "gRPC code, such as OK."),
    Own("--reason", None, "Reason of an error."),
    Own("--run", None, "Name of a long run."),
    Own("--request-id", None, "Id of the call."),
    Own("--table", None, "Digest of a table."),
    Own("--scenario", None, "Id or digest of a scenario."),
    Own("--law-version", None, "Version or digest of the law."),
    Own("--chain", None, "Chain."),
)
_FIELDS = {"table": "tables", "scenario": "scenarios", "law_version": "law"}
"""Fields of an entry whose option has another name."""
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_SECONDS = len("2026-11-24T12:00:00")
_COLUMNS = ("who", "verb", "code", "reason", "run", "request_id")


@add(
    app,
    "verify",
    "tariffs audit verify /var/lib/tariffs/audit",
    "tariffs audit verify /var/lib/tariffs/audit --head web-1-0=1042:5f0c...",
    "tariffs audit verify --database postgresql+psycopg://auditor@db/tariffs",
)
def verify(
    path: Record = None,
    database: Database = None,
    head: Annotated[
        list[str] | None,
        typer.Option(
            "--head",
            metavar="CHAIN=SEQ:DIGEST",
            help="Entry that a chain must have, as an earlier verification printed it; may be repeated.",
        ),
    ] = None,
    after: Annotated[
        list[str] | None,
        typer.Option(
            "--after",
            metavar="CHAIN=SEQ:DIGEST",
            help="Last entry before the first one that is here, where earlier files were moved away; may be repeated.",
        ),
    ] = None,
) -> Output:
    """Find entries that were changed, removed, inserted, reordered or cut off. Exit 1 if there are any."""
    commands = module_of("server", _COMMANDS)
    starts, ends = options.pairs(after, "--after"), options.pairs(head, "--head")
    reports = commands.verified(commands.chains(_text(path), database), starts, ends)

    def show() -> None:
        for report in reports:
            print(f"{report.name}: {report.entries:,} entries, last {report.head.text}")
            for one in report.findings:
                print(f"  {one.kind}: {one.place or report.name}: {one.message}")

    is_changed = any(report.findings for report in reports)
    return Output({"chains": [_document(report) for report in reports]}, show, 1 if is_changed else 0)


@add(
    app,
    "show",
    "tariffs audit show /var/lib/tariffs/audit --who ann --start 2026-11-01",
    "tariffs audit show /var/lib/tariffs/audit --run operations/4f0c... --json",
)
@with_options(*_FILTERS)
def show(
    path: Record = None,
    database: Database = None,
    since: Annotated[str, typer.Option("--start", help="First day or instant, UTC.")] = "",
    until: Annotated[str, typer.Option("--end", help="Last day, UTC; of instants the first left out.")] = "",
    limit: Annotated[int, typer.Option("--top", help="Entries shown at most; 0 is all.")] = 0,
    **given: str,
) -> Output:
    """Show entries, by chain in the order in which they were written."""
    wanted = {_FIELDS.get(name, name): text for name, text in given.items()}
    commands = module_of("server", _COMMANDS)
    until = _day_after(until) if _DAY.fullmatch(until) else until
    found = commands.selected(commands.chains(_text(path), database), wanted, since, until)
    entries = list(islice(found, limit or None))
    titles = ["time", "chain", "entry", *_COLUMNS]
    return Output({"entries": entries}, lambda: console().print(text_table(titles, map(_row, entries))))


def _day_after(day: str) -> str:
    return str(date.fromisoformat(day) + timedelta(days=1))


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


def _document(report: Any) -> dict[str, object]:
    findings = [
        {"kind": one.kind, "place": one.place, "first": one.first, "last": one.last, "message": one.message}
        for one in report.findings
    ]
    return {
        "chain": report.name,
        "entries": report.entries,
        "head": report.head.text,
        "ok": not report.findings,
        "findings": findings,
    }


def _row(entry: Mapping[str, Any]) -> tuple[str, ...]:
    shown = {**entry, "verb": entry.get("verb") or entry.get("kind")}
    facts = (str(shown.get(name) or "") for name in _COLUMNS)
    return (str(entry.get("time", ""))[:_SECONDS], str(entry["chain"]), str(entry["seq"]), *facts)
