"""`tariffs table`: check a table before a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tariffs.client.cli import options, outputs, table_options
from tariffs.client.cli.commands import Output, UnderLaw, add, with_options
from tariffs.client.cli.render.notes import print_notes, print_refused
from tariffs.client.cli.render.table import console, text_table
from tariffs.client.results.table_check import COLUMN_TITLES, TableCheck

SHOWN_REFUSED = 20
app = typer.Typer(no_args_is_help=True)


@add(
    app,
    "check",
    "tariffs table check entries.csv",
    "tariffs table check es003.xlsx --mapping ace",
    "tariffs table check entries.csv --date-format d/m/Y --json",
)
@with_options("date_format", "direction", "to")
def check(
    client: UnderLaw,
    table: Annotated[
        Path,
        typer.Argument(metavar="TABLE", help="Parquet, Arrow, CSV or Excel file; - is standard input."),
    ],
    mapping: table_options.Mapping = "",
    sheet: table_options.Sheet = "",
    header_row: table_options.HeaderRow = 0,
    refused: options.Refused = None,
    brief: options.Brief = False,
    **given: Any,
) -> Output:
    """Say how a table is read, and which of its rows cannot be used; the exit code is 1 if there are any."""
    outputs.check_files(None, refused)
    goods = table_options.source(table) if table == table_options.STDIN else table
    result = client.check_table(goods, mapping=mapping, sheet=sheet, header_row=header_row, **given)
    inputs = {"law_version": result.law_version}
    path = outputs.write_refused(result.refused, refused or outputs.refused_path(table), inputs)
    plain = outputs.document("table-check", result.to_json_dict(path))
    return Output(plain, lambda: _print(result, brief=brief), 0 if result.ok else 1)


def _print(result: TableCheck, *, brief: bool) -> None:
    out = console()
    out.print(text_table(["table", "understood as"], result.facts()))
    out.print()
    out.print(text_table(COLUMN_TITLES, result.column_rows()))
    if not brief:
        out.print()
        print_notes(out, result.notes)
        print_refused(out, result.refused, SHOWN_REFUSED)
