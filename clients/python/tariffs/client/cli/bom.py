"""`tariffs bom`: landed cost and duty of a bill of materials."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from tariffs.client._wire.csv_text import for_people
from tariffs.client._wire.frames import write_table
from tariffs.client.cli import options, outputs, table_options
from tariffs.client.cli.commands import LAW, Output, Own, UnderLaw, with_options
from tariffs.client.cli.options import examples
from tariffs.client.cli.render.notes import print_footer
from tariffs.client.cli.render.table import console, right, text_table
from tariffs.client.results.bom import BomResult
from tariffs.client.results.entries import flat
from tariffs.run_spec.option import Kind

EXAMPLES = examples(
    "tariffs bom bicycle.csv --on 2026-11-24 --units 1000",
    "tariffs bom bicycle.xlsx --on 2026-11-24 -s base -s truce-lapses --json",
    "tariffs bom bicycle.csv --on 2026-11-24 --origins all --csv",
)
_SHOWN = 10


_CHANGES_TO = "Last day to look for changes on. Default: that of the law data."


@with_options(
    Own("--on", "DAY", "Day of entry. Default: the law's as-of day."),
    ...,
    Own("--units", "N", "Units of the finished goods.", "1"),
    Own("--until", "DAY", _CHANGES_TO, ""),
    Own(
        "--origins", "CC,CC,...|all", "Compute too what the duty would be from these origins.", kind=Kind.KEYS
    ),
    Own("--csv", None, "Print the parts of all scenarios as CSV.", False),
    "parameters",
    *LAW,
)
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
    scenario: options.Scenarios = None,
    mapping: table_options.Mapping = "",
    sheet: table_options.Sheet = "",
    header_row: table_options.HeaderRow = 0,
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
    as_csv = given.pop("csv")
    for path in (output, refused):
        if path is not None:
            options.writable(path)
    goods = table_options.source(table, mapping, sheet, header_row)
    result = client.bom(goods, scenarios=scenario or (), **given)
    if output is not None:
        write_table(
            flat(result.frame) if output.suffix == ".csv" else result.frame, output, result.provenance
        )
    faults = outputs.write_refused(result.refused, refused or outputs.refused_path(table), result.provenance)
    document = outputs.document("bom", result.to_json_dict(faults))
    show = (lambda: _print_csv(result)) if as_csv else (lambda: _print(result, given["units"]))
    return Output(document, show, 1 if result.refused.height else 0)


def _print_csv(result: BomResult) -> None:
    sys.stdout.write(for_people(flat(result.frame)).write_csv())


def _print(result: BomResult, units: str) -> None:
    out = console()
    for one in result.scenarios:
        first, *more = one.sentences(units)
        out.print(f"[bold]{escape(one.id)}[/bold]: {first[0].lower()}{escape(first[1:])}")
        for text in more:
            out.print(escape(text))
        out.print()
        for table in one.tables(_SHOWN):
            words, *numbers = table.heads
            out.print(text_table([words, *right(*numbers)], table.rows))
            if table.caption:
                out.print(f"[dim]{table.caption[0].upper()}{table.caption[1:]}; --json has all.[/dim]")
            out.print()
        for text in [*(change.sentence for change in one.changes), *one.allocation.sentences]:
            out.print(escape(text))
        out.print()
    for note in result.notes:
        out.print(f"[dim]{escape(note.message)}[/dim]")
    print_footer(out, result.provenance)
