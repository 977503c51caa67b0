"""Read and write tables: files, Polars frames and Arrow bytes."""

from __future__ import annotations

import gzip
import io
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias, cast

import polars as pl

from tariffs.client._wire.column_mapping import MappedTable, apply_mapping, read_mapping
from tariffs.client._wire.csv_text import comma_columns, for_people, read_csv, unreadable, with_points
from tariffs.client._wire.excel import SUFFIXES, SheetChoice, read_excel
from tariffs.client.errors import InvalidRequest
from tariffs.client.results.table_handle import TableHandle


class ArrowTable(Protocol):
    """Table of pyarrow, pandas or any other package with the Arrow C stream interface."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Export the table as an Arrow stream."""


if TYPE_CHECKING:
    Table: TypeAlias = pl.DataFrame | pl.LazyFrame | str | Path | TableHandle | ArrowTable
else:
    # Who evaluates annotations at run time gets no classes of Polars, which is loaded when it is used.
    Table = Any
"""A trade table: a frame, a lazy frame, an Arrow table or pandas frame, the path of a Parquet, Arrow, CSV or Excel
file, a directory or pattern of Parquet files, or the handle of a table that the server keeps."""
_FIX_OF_TYPE = (
    "Give a Polars frame, an Arrow table, a pandas frame, or the path of a .parquet, .arrow, .csv or .xlsx file; a "
    "dict of columns goes through polars.DataFrame. Scenarios are the second argument, scenarios=."
)
_FIX_OF_NAME = (
    "Give a .parquet, .arrow, .csv or .xlsx file. In Python scenarios are the second argument, scenarios=."
)

_WILDCARDS = frozenset("*?[")
_CSV = frozenset({".csv", ".tsv", ".txt"})
_GZIP = ".gz"
_FIRST_SHEET = SheetChoice()
_ARROW = frozenset({".arrow", ".feather", ".ipc"})
_BATCH_ROWS = 65_536
_LARGEST_UNCOMPRESSED = 64


class _ReadTable(NamedTuple):
    """Table with how it was given in words, and the separator of its file if that is CSV."""

    frame: pl.DataFrame
    form: str
    separator: str = ""


def read_table(source: Table, choice: SheetChoice = _FIRST_SHEET) -> pl.DataFrame:
    """Read a table into a frame; all columns of a CSV file are text, so codes keep leading zeros.

    Raises:
        InvalidRequest: TABLE_UNREADABLE if the file is missing, of another kind, or broken, the table is kept by a
            server, or the argument is no table.
    """
    return _read(source, choice).frame


def _read(source: Table, choice: SheetChoice) -> _ReadTable:
    if isinstance(source, TableHandle):
        raise InvalidRequest(
            "TABLE_UNREADABLE",
            f"The rows of {source.name} are on the server.",
            field="lines",
            fix="Give the table itself here.",
        )
    if isinstance(source, str | Path):
        return _read_file(Path(source), choice)
    if isinstance(source, pl.LazyFrame):
        try:
            return _ReadTable(source.collect(), _form_of(source))
        except (OSError, pl.exceptions.PolarsError) as error:
            raise unreadable("of the query", _first_line(error)) from error
    return _ReadTable(source if isinstance(source, pl.DataFrame) else _from_other(source), _form_of(source))


def _form_of(source: Table) -> str:
    """Say in words how a table is given that is no text."""
    if isinstance(source, str | Path):
        return f"a {_kind(Path(source))[1:]} file"
    return f"a table of type {type(source).__name__}"


def is_partitioned(source: object) -> bool:
    """Test whether a table is given as a directory, a pattern of files, or a URL."""
    if not isinstance(source, str | Path):
        return False
    text = str(source)
    return "://" in text or not _WILDCARDS.isdisjoint(text) or Path(text).is_dir()


def read_mapped(source: Table, mapping: str | Path, choice: SheetChoice = _FIRST_SHEET) -> MappedTable:
    """Read a table and rename its columns by a mapping, if one is given; raises as `read_table`, `read_mapping`."""
    return _mapped(_read(source, choice), mapping, source)


def _mapped(table: _ReadTable, mapping: str | Path, source: Table) -> MappedTable:
    if not mapping:
        return MappedTable(table.frame, {})
    mapped = apply_mapping(table.frame, read_mapping(mapping))
    if table.separator in ("", ","):
        return mapped
    # The reader of the file did not know these amounts under their own names.
    columns = [name for name, old in mapped.sources.items() if name != old and name in mapped.frame.columns]
    commas = comma_columns(mapped.frame.select(columns), str(source))
    return replace(mapped, frame=with_points(mapped.frame, commas))


def read_chosen(source: Table, mapping: str | Path, choice: SheetChoice) -> MappedTable | None:
    """Read a table as `read_mapped` if a mapping or a part of a workbook is chosen; None for one to send as it is."""
    return read_mapped(source, mapping, choice) if mapping or choice != _FIRST_SHEET else None


def read_described(
    source: Table, mapping: str | Path, choice: SheetChoice
) -> tuple[Table, Mapping[str, str], str]:
    """Read a table once, where it is text, mapped, or of a workbook, and say in words how it was written.

    Returns:
        What to send, the names that a mapping found its columns under, and the words.

    Raises:
        InvalidRequest: as `read_mapped`.
    """
    is_text = isinstance(source, str | Path) and _kind(Path(source)) in SUFFIXES | _CSV
    if not (mapping or is_text or choice != _FIRST_SHEET):
        return source, {}, _form_of(source)
    table = _read(source, choice)
    mapped = _mapped(table, mapping, source)
    return mapped.frame, mapped.sources, table.form


def read_bytes(data: bytes, name: str) -> pl.DataFrame:
    """Read the bytes of a file: Parquet or Arrow by their first bytes, else CSV; raises TABLE_UNREADABLE."""
    try:
        if data.startswith(b"PAR1"):
            return pl.read_parquet(io.BytesIO(data))
        if data.startswith(b"ARROW1"):
            return pl.read_ipc(io.BytesIO(data))
        if data.startswith(b"\xff\xff\xff\xff"):
            return pl.read_ipc_stream(io.BytesIO(data))
    except (OSError, pl.exceptions.PolarsError) as error:
        raise unreadable(name, _first_line(error)) from error
    return read_csv(data, name).frame


def batches_of(source: Table) -> Iterator[pl.DataFrame]:
    """Read a table in batches of rows, in order: lazy frames and columnar files without holding all of it.

    Other tables are one batch. There is at least one, so that the columns of an empty table are known.

    Raises:
        InvalidRequest: as `read_table`.
    """
    lazy = _scanned(source)
    if lazy is None:
        yield read_table(source)
        return
    name = "of the query" if isinstance(source, pl.LazyFrame) else str(source)
    try:
        empty = True
        for batch in lazy.collect_batches(chunk_size=_BATCH_ROWS, maintain_order=True, lazy=True):
            empty = False
            yield batch
        if empty:
            yield lazy.head(0).collect()
    except (OSError, pl.exceptions.PolarsError) as error:
        raise unreadable(name, _first_line(error)) from error


def file_key(source: Table) -> str:
    """Name of a file in its present state: path, time of change and size; empty for what is no single file."""
    if not isinstance(source, str | Path) or not Path(source).is_file():
        return ""
    state = Path(source).stat()
    return f"{Path(source).resolve()} {state.st_mtime_ns} {state.st_size}"


def _scanned(source: Table) -> pl.LazyFrame | None:
    """Open a table that can be read in parts; None for any other."""
    if isinstance(source, pl.LazyFrame):
        return source
    if not isinstance(source, str | Path):
        return None
    kind = Path(source).suffix.lower()
    if kind == ".parquet":
        return pl.scan_parquet(source)
    return pl.scan_ipc(source) if kind in _ARROW else None


def _kind(path: Path) -> str:
    """Ending of a file's name, without that of its compression."""
    return Path(path.stem if path.suffix.lower() == _GZIP else path.name).suffix.lower()


def _content(path: Path) -> bytes:
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if path.suffix.lower() == _GZIP else content
    except (OSError, EOFError, zlib.error) as error:
        raise unreadable(str(path), _first_line(error)) from error


def _read_file(path: Path, choice: SheetChoice) -> _ReadTable:
    kind = _kind(path)
    try:
        if kind in SUFFIXES:
            name, row, frame = read_excel(path, choice)
            words = f"an Excel workbook, its sheet {name!r} with the column names in row {row}"
            return _ReadTable(frame, words)
        if kind in _CSV:
            table = read_csv(_content(path), str(path))
            return _ReadTable(table.frame, table.form, table.separator)
        if kind == ".parquet":
            return _ReadTable(pl.read_parquet(path), _form_of(path))
        if kind in _ARROW:
            return _ReadTable(pl.read_ipc(path), _form_of(path))
    except (OSError, pl.exceptions.PolarsError) as error:
        raise unreadable(str(path), _first_line(error)) from error
    if not path.suffix:
        raise unreadable(str(path), "its name has no ending that says what it is", _FIX_OF_NAME)
    raise unreadable(str(path), f"files of type *{path.suffix} are not supported")


def _from_other(source: object) -> pl.DataFrame:
    """Convert a table of another package through the Arrow interface."""
    kind = f"{type(source).__module__}.{type(source).__qualname__}".removeprefix("builtins.")
    if not any(hasattr(source, name) for name in ("__arrow_c_stream__", "__arrow_c_array__")):
        raise unreadable(f"of type {kind}", "it is neither a frame nor a path", _FIX_OF_TYPE)
    try:
        frame = _from_pandas(source) if kind.startswith("pandas.") else pl.DataFrame(cast(Any, source))
    # Whatever another package raises here, the table cannot be read.
    except Exception as error:
        raise unreadable(f"of type {kind}", _first_line(error), _FIX_OF_TYPE) from error
    # pandas sends its index along under such names.
    return frame.drop(name for name in frame.columns if name.startswith("__index_level_"))


def _from_pandas(source: Any) -> pl.DataFrame:
    """Convert a pandas frame, which needs pyarrow for the Arrow interface, column by column where that is missing."""
    if find_spec("pyarrow") is not None:
        return pl.DataFrame(source)
    columns = {str(name): source[name].astype(object) for name in source.columns}
    return pl.DataFrame(
        {name: values.where(values.notna(), None).tolist() for name, values in columns.items()}, strict=False
    )


def _first_line(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error).strip().splitlines()[0].rstrip(".") if str(error).strip() else type(error).__name__


def encode(frame: pl.DataFrame) -> bytes:
    """Encode a frame as one Arrow IPC stream, compressed unless it is small."""
    buffer = io.BytesIO()
    compressed = frame.height > _LARGEST_UNCOMPRESSED
    frame.write_ipc_stream(buffer, compression="zstd" if compressed else "uncompressed")
    return buffer.getvalue()


def too_large(rows: int, size: int, limit: int) -> InvalidRequest:
    """Make the error of a table that does not fit into a message."""
    return InvalidRequest(
        "BATCH_TOO_LARGE",
        f"The table of {rows:,} rows makes a message of {size:,} bytes; the limit is {limit:,}.",
        field="lines",
        fix="Compute it in this process: Client.local().",
        metadata={"limit": str(limit), "found": str(size)},
    )


def from_arrow(data: bytes) -> pl.DataFrame:
    """Decode an Arrow IPC stream; no bytes give an empty frame."""
    return pl.read_ipc_stream(io.BytesIO(data)) if data else pl.DataFrame()


def write_table(frame: pl.DataFrame, path: Path, provenance: Mapping[str, object]) -> None:
    """Write a result for people: as `write_file`, a CSV without cells that a spreadsheet would compute."""
    write_file(for_people(frame) if path.suffix.lower() == ".csv" else frame, path, provenance)


def write_file(frame: pl.DataFrame, path: Path, provenance: Mapping[str, object]) -> None:
    """Write rows as Parquet with their provenance in the file metadata, or as CSV with it in a file beside.

    Raises:
        InvalidRequest: PARAMETER_INVALID if the name ends in neither .parquet nor .csv.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(provenance, sort_keys=True)
    if path.suffix.lower() == ".parquet":
        frame.write_parquet(path, metadata={"tariffs.provenance": text})
    elif path.suffix.lower() == ".csv":
        frame.write_csv(path)
        path.with_name(path.name + ".provenance.json").write_text(text + "\n", encoding="utf-8")
    else:
        raise InvalidRequest(
            "PARAMETER_INVALID",
            f"Cannot write {path.name}.",
            field="output",
            fix="Name a .parquet or .csv file.",
        )
