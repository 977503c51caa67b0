"""Options that say how the file of a table is read, and the reading."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Annotated

import typer

from tariffs.client._wire.excel import SheetChoice
from tariffs.client._wire.frames import Table, read_bytes, read_chosen

STDIN = Path("-")
_URL = re.compile(r"^([a-z][a-z0-9+.]+):/(?!/)")
Mapping = Annotated[
    str,
    typer.Option(
        "--mapping",
        metavar="ace|cbp7501|FILE",
        help="Names of columns in TABLE: of ACE reports, of Form 7501, or of a .toml or .yaml file (docs/tables.md).",
    ),
]
Sheet = Annotated[
    str,
    typer.Option(
        "--sheet", metavar="NAME", help="Sheet of a workbook. Default: the first with a row of column names."
    ),
]
HeaderRow = Annotated[
    int,
    typer.Option(
        "--header-row",
        metavar="N",
        min=0,
        help="Row of the sheet with the column names, from 1. Default: the first that fits, below titles.",
    ),
]


def located(path: Path) -> Path | str:
    """Restore a URL, which as a path has lost one of its slashes."""
    return _URL.sub(r"\1://", str(path)) if _URL.match(str(path)) else path


def source(path: Path, mapping: str = "", sheet: str = "", header_row: int = 0) -> Table:
    """Open the table that a path names; `-` is standard input, as CSV, Parquet or Arrow.

    Raises:
        InvalidRequest: TABLE_UNREADABLE for what comes from standard input or is mapped; an unusable mapping.
    """
    table: Table = read_bytes(sys.stdin.buffer.read(), "standard input") if path == STDIN else located(path)
    mapped = read_chosen(table, mapping, SheetChoice(sheet, header_row))
    return table if mapped is None else mapped.frame
