"""Tables in and out: files, Polars frames and Arrow bytes."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from tariffs.client.errors import InvalidRequest
from tariffs.client.tables import TableHandle

Table = pl.DataFrame | pl.LazyFrame | str | Path | TableHandle
"""What callers may give as a trade table: a frame, a lazy frame, the path of a Parquet, Arrow or CSV file, or the
handle of a table that the server keeps."""

_LARGEST_UNCOMPRESSED = 64


def read_table(source: Table) -> pl.DataFrame:
    """The table as a frame. CSV is read all as text, so codes keep their zeros and origin NO stays Norway.

    Raises:
        InvalidRequest: TABLE_UNREADABLE if the file is missing, of another kind, or broken, or the table is kept by a
            server.
    """
    if isinstance(source, TableHandle):
        raise InvalidRequest(
            "TABLE_UNREADABLE",
            f"The rows of {source.name} are on the server.",
            field="lines",
            fix="Give the table itself here.",
        )
    if isinstance(source, pl.DataFrame):
        return source
    if isinstance(source, pl.LazyFrame):
        return source.collect()
    path = Path(source)
    try:
        if path.suffix.lower() == ".csv":
            return pl.read_csv(path, infer_schema=False)
        if path.suffix.lower() == ".parquet":
            return pl.read_parquet(path)
        if path.suffix.lower() in {".arrow", ".feather", ".ipc"}:
            return pl.read_ipc(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise _unreadable(path, str(error).splitlines()[0] if str(error) else type(error).__name__) from error
    raise _unreadable(path, f"files named *{path.suffix or path.name} are not known")


def encode(frame: pl.DataFrame) -> bytes:
    """The frame as one Arrow IPC stream, compressed unless it is small."""
    buffer = io.BytesIO()
    compressed = frame.height > _LARGEST_UNCOMPRESSED
    frame.write_ipc_stream(buffer, compression="zstd" if compressed else "uncompressed")
    return buffer.getvalue()


def too_large(rows: int, found: int, limit: int) -> InvalidRequest:
    """The error of a table that does not fit a message."""
    return InvalidRequest(
        "BATCH_TOO_LARGE",
        f"The table of {rows:,} rows makes a message of {found:,} bytes; the limit is {limit:,}.",
        field="lines",
        fix="Run it in-process: Client.local(), or --local on the command line.",
        metadata={"limit": str(limit), "found": str(found)},
    )


def from_arrow(data: bytes) -> pl.DataFrame:
    """The frame held in an Arrow IPC stream; no bytes give an empty frame."""
    return pl.read_ipc_stream(io.BytesIO(data)) if data else pl.DataFrame()


def write_table(frame: pl.DataFrame, path: Path, provenance: Mapping[str, object]) -> None:
    """Write a result as Parquet with its provenance in the file metadata, or as CSV with it in a file beside.

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


def _unreadable(path: Path, why: str) -> InvalidRequest:
    return InvalidRequest(
        "TABLE_UNREADABLE",
        f"The table {path} cannot be read: {why}.",
        field="lines",
        fix="Give a .parquet, .arrow or .csv file.",
        metadata={"path": str(path)},
    )
