"""`tariffs data`: make tables of your own from public files and broker reports."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import polars as pl
import typer

from tariffs.client._verbs.public_tables import ImportedTable, import_table
from tariffs.client._wire.frames import write_file
from tariffs.client.cli import options, table_options
from tariffs.client.cli.commands import Output, add
from tariffs.client.cli.render.table import console

_CALL_KEY = "import"
app = typer.Typer(no_args_is_help=True)


@add(
    app,
    "import",
    "tariffs data import census IMP_DETL_2025_01.TXT IMP_DETL_2025_02.TXT -o imports.parquet",
    "tariffs data import hts hts_2026_revision_12.json -o schedule.parquet",
    "tariffs data import entries es003-may.csv es003-june.csv --mapping ace -o entries.parquet",
)
def import_files(
    kind: Annotated[
        str, typer.Argument(metavar="census|hts|entries", help="What the files are; see docs/tables.md.")
    ],
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="The files; nothing is downloaded.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Table to write, .parquet or .csv.", show_default=False)
    ],
    mapping: table_options.Mapping = "",
) -> Output:
    """Read public files or broker reports, and write them as one table."""
    options.writable(output)
    made = import_table(kind, files, mapping=mapping)
    write_file(made.frame, output, {_CALL_KEY: kind, "files": [path.name for path in files]})
    facts = {"output": str(output), "rows": made.frame.height, "notes": made.notes}
    return Output(facts, lambda: _print(made, output))


def _print(made: ImportedTable, output: Path) -> None:
    out, frame = console(), made.frame
    worth = f", {frame['customs_value'].sum():,.0f} USD" if _has_value(frame) else ""
    out.print(f"{output}: {frame.height:,} rows{worth}", markup=False)
    for note in made.notes:
        out.print(f"note: {note}", markup=False)


def _has_value(frame: pl.DataFrame) -> bool:
    return "customs_value" in frame.columns and frame["customs_value"].dtype.is_numeric()
