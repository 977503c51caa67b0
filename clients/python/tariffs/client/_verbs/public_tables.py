"""Read tables of a user's own, and make them from public files and broker reports."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import polars as pl

from tariffs.client._wire.channel import engine_errors
from tariffs.client._wire.excel import SheetChoice
from tariffs.client._wire.frames import Table, read_mapped
from tariffs.client.errors import InvalidRequest

ENTRIES = "entries"


@dataclass(frozen=True, slots=True)
class ImportedTable:
    """Table made from files; `notes` say what was left out, and why."""

    frame: pl.DataFrame
    notes: tuple[str, ...]


def import_table(kind: str, paths: Sequence[str | Path], *, mapping: str | Path = "") -> ImportedTable:
    """Make a table of your own from files; nothing is downloaded.

    Args:
        kind: `census`: imports for consumption as the Census Bureau publishes them (IMP_DETL.TXT, its monthly ZIP, or
            an answer of its interface as JSON or CSV); several months are summed. `hts`: an export of the schedule of
            the USITC as JSON or CSV. `entries`: broker reports with the same columns, below each other.
        paths: the files.
        mapping: for entries, names of their columns, as in `read_table`.

    Raises:
        InvalidRequest: a file cannot be read as what it should be.
        ExtraMissing: `census` and `hts` need the extra `server`.
    """
    if not paths:
        raise InvalidRequest("REQUEST_INVALID", "No file was given.", field="paths", fix="Give a file.")
    if kind == ENTRIES:
        return _entries(paths, mapping)
    if mapping:
        raise InvalidRequest(
            "REQUEST_INVALID", f"{kind} takes no mapping.", field="mapping", fix="Leave it out."
        )
    with engine_errors():
        # By name at run time: the client does not depend on the engine, only this kind does.
        module = cast(Any, importlib.import_module("tariffs.engine.tables.public_files"))
        made = module.import_public(kind, paths)
    return ImportedTable(made.frame, made.notes)


def _entries(paths: Sequence[str | Path], mapping: str | Path) -> ImportedTable:
    frames = [read_mapped(path, mapping).frame for path in paths]
    for path, frame in zip(paths, frames, strict=True):
        if set(frame.columns) != set(frames[0].columns):
            other = ", ".join(sorted(set(frame.columns) ^ set(frames[0].columns)))
            raise InvalidRequest(
                "COLUMN_MISSING",
                f"{path} and {paths[0]} differ in {other}.",
                field="paths",
                fix="Give files with the same columns.",
            )
    joined = pl.concat([frame.select(frames[0].columns) for frame in frames], how="vertical_relaxed")
    return ImportedTable(joined, ())


def read_table(
    source: Table, *, mapping: str | Path = "", sheet: str = "", header_row: int = 0
) -> pl.DataFrame:
    """Read a trade table as the calls of a client read it; all columns of a CSV file are text.

    Args:
        source: path of a Parquet, Arrow, CSV or Excel file, or a frame.
        mapping: name of a built-in mapping of columns (ace, cbp7501), or the path of a mapping file.
        sheet: name of the sheet of a workbook; by default the first that has a row of column names.
        header_row: row of a sheet with the column names, counted from 1; by default the first that fits.

    Raises:
        InvalidRequest: TABLE_UNREADABLE, or REQUEST_INVALID for the mapping.
    """
    return read_mapped(source, mapping, SheetChoice(sheet, header_row)).frame
