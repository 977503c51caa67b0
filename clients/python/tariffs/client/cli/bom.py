"""`tariffs bom`: landed cost and duty of a bill of materials."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from tariffs.client._wire.csv_text import for_people
from tariffs.client._wire.frames import write_table
from tariffs.client.cli import options, outputs, table_options
from tariffs.client.cli.commands import Output, UnderLaw, with_options
from tariffs.client.cli.options import examples
from tariffs.client.cli.render.notes import print_footer
from tariffs.client.cli.render.table import console, right, text_table
from tariffs.client.results.bom import BomAllocation, BomGroup, BomResult, BomScenario
from tariffs.client.results.entries import flat
from tariffs.client.results.short_names import label_of, name_of

EXAMPLES = examples(
    "tariffs bom bicycle.csv --on 2026-11-24 --units 1000",
    "tariffs bom bicycle.xlsx --on 2026-11-24 -s base -s truce-lapses --json",
    "tariffs bom bicycle.csv --on 2026-11-24 --origins all --csv",
)
_SHOWN = 10


@with_options("parameters", "known_on", "switches", "min_confidence")
def bom(
    client: UnderLaw,
    table: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="A .csv, .xlsx, .parquet or .arrow file (- is standard input) with part, parent, quantity, yield, "
            "hts, origin, supplier and unit_cost.",
        ),
    ],
    on: Annotated[
        str | None,
        typer.Option("--on", metavar="DAY", help="Day of entry. Default: the law's as-of day."),
    ] = None,
    scenario: options.Scenarios = None,
    units: Annotated[str, typer.Option("--units", metavar="N", help="Units of the finished goods.")] = "1",
    until: Annotated[
        str,
        typer.Option(
            "--until", metavar="DAY", help="Last day to look for changes on. Default: that of the law data."
        ),
    ] = "",
    origins: Annotated[
        list[str] | None,
        typer.Option(
            "--origins",
            metavar="CC,CC,...|all",
            help="Compute too what the duty would be from these origins.",
        ),
    ] = None,
    mapping: table_options.Mapping = "",
    sheet: table_options.Sheet = "",
    header_row: table_options.HeaderRow = 0,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print the parts of all scenarios as CSV.")] = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write the parts of all scenarios as .parquet or .csv."),
    ] = None,
    refused: options.Refused = None,
    **given: Any,
) -> Output:
    """Compute the landed cost and duty of a bill of materials, its exposure to changes, and what to buy.

    Rows of one part and parent are substitutes, and the first is what is bought today. Each row is an entry of one line
    of all its units. Rows that cannot be used are written to a file of refused rows, and the exit code is 1.
    """
    for path in (output, refused):
        if path is not None:
            options.writable(path)
    result = client.bom(
        table_options.source(table, mapping, sheet, header_row),
        on=on,
        scenarios=scenario or (),
        units=units,
        until=until,
        origins=options.keys(origins or []),
        **given,
    )
    if output is not None:
        write_table(
            flat(result.frame) if output.suffix == ".csv" else result.frame, output, result.provenance
        )
    faults = outputs.write_refused(result.refused, refused or outputs.refused_path(table), result.provenance)
    document = outputs.document("bom", result.to_json_dict(faults))
    show = (lambda: _print_csv(result)) if as_csv else (lambda: _print(result, units))
    return Output(document, show, 1 if result.refused.height else 0)


def _print_csv(result: BomResult) -> None:
    sys.stdout.write(for_people(flat(result.frame)).write_csv())


def _print(result: BomResult, units: str) -> None:
    out = console()
    for one in result.scenarios:
        total = one.total
        rate = "" if total.rate is None else f" ({100 * total.rate:.1f} % of their value)"
        out.print(
            f"[bold]{escape(one.id)}[/bold]: the parts of {escape(units)} units cost {_usd(total.landed)} landed, "
            f"{_usd(total.duty)} of it duty{rate}."
        )
        if total.duty_min != total.duty_max:
            out.print(
                f"Facts that are not declared move the duty: {_usd(total.duty_min)} to {_usd(total.duty_max)}."
            )
        for left in one.left_out:
            out.print(
                f"[bold]Left out[/bold]: {len(left.rows):,} rows, {left.reason}. {escape(left.message)}"
            )
        out.print()
        _print_groups(out, "supplier", one.suppliers)
        _print_groups(out, "origin", one.origins)
        rows = [
            [name_of("authority", each.authority) or each.authority, _usd(each.duty)]
            for each in one.authorities
        ]
        out.print(text_table(["authority", *right("duty")], rows))
        out.print()
        _print_changes(out, one)
        _print_allocation(out, one.allocation)
        if one.from_origins:
            rows = [
                [label_of("origin", each.origin), _usd(each.duty), f"{each.rated:,}"]
                for each in one.from_origins[:_SHOWN]
            ]
            out.print(text_table(["all parts from", *right("duty", "rows rated")], rows))
            out.print()
    for note in result.notes:
        out.print(f"[dim]{escape(note.message)}[/dim]")
    print_footer(out, result.provenance)


def _print_groups(out: Console, key: str, groups: Sequence[BomGroup]) -> None:
    shown = [
        [
            label_of("origin", one.name) if key == "origin" else one.name or "(none)",
            *(f"{one.rows:,}", *map(_usd, (one.amounts.value, one.amounts.duty, one.amounts.landed))),
        ]
        for one in groups[:_SHOWN]
    ]
    out.print(text_table([key, *right("rows", "value", "duty", "landed")], shown))
    if len(groups) > _SHOWN:
        out.print(f"[dim]The {_SHOWN} dearest of {len(groups):,}; --json has all.[/dim]")
    out.print()


def _print_changes(out: Console, one: BomScenario) -> None:
    for change in one.changes:
        moved = "from none" if change.change is None else f"{100 * change.change:+.1f} %"
        gone = f"; {change.left_out:,} rows cannot enter or be rated" if change.left_out else ""
        out.print(
            f"{change.day}: {moved} of the duty, {_usd(change.after)} in place of {_usd(change.before)}{gone}."
        )
    if one.changes:
        out.print()


def _print_allocation(out: Console, found: BomAllocation) -> None:
    if found.listed is not None and found.amounts.landed < found.listed:
        saved = _usd(found.listed - found.amounts.landed)
        gap = f", within {100 * found.gap:.4f} % of the best" if found.gap else ""
        out.print(
            f"Bought from the best rows the parts cost {_usd(found.amounts.landed)} landed, {saved} less{gap}."
        )
    for unmet in found.unmet:
        out.print(f"{escape(unmet.part)} is not bought: {escape(unmet.message)}")
    out.print()


def _usd(amount: Decimal) -> str:
    return f"{amount:,.2f}"
