"""Find the files of a partitioned table, and divide their rows into buckets of goods that respond together.

A response needs all lines of a product together. Rows go to a bucket by a key of their code, the first six digits if
nothing links products, and are sorted by all columns there, so that results do not depend on how rows are spread over
files.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

import polars as pl

from tariffs.engine.errors import InputError
from tariffs.engine.schedule.codes import SEPARATORS, parse_code
from tariffs.engine.schedule.lines import load_schedule
from tariffs.engine.tables.columns import REQUIRED

ROWS_PER_BUCKET = 1_000_000
"""Rows of a bucket on average; some 600 MB while it is computed."""
ROWS_PER_SLICE = 2_000_000
PRODUCT_DIGITS = 6
SCHEME = "://"
_ENDING = ".parquet"
_WILDCARDS = frozenset("*?[")
_FILE, _ROW, _BUCKET = "__file", "__row", "__bucket"


@dataclass(frozen=True, slots=True)
class Slice:
    """Consecutive rows of one file."""

    path: str
    first: int
    rows: int


@dataclass(frozen=True)
class PartitionedTable:
    """Files of a table, its columns with their types, sorted by name, and the slices in which it is read.

    Attributes:
        files: paths or URLs, sorted.
        columns: columns of all files.
        slices: slices of all rows, in the order of the files.
        buckets: number of buckets; it depends on the number of rows alone, not on their files.
    """

    files: tuple[str, ...]
    columns: tuple[tuple[str, pl.DataType], ...]
    slices: tuple[Slice, ...]
    buckets: int

    @classmethod
    def of(cls, source: str) -> PartitionedTable:
        """Find the files of a table.

        Args:
            source: a directory, a pattern such as `entries/*.parquet`, or a URL of either that fsspec can open.

        Raises:
            InputError: TABLE_EMPTY without files or rows, PARTITION_UNREADABLE for a file that cannot be read or has
                other columns than the first, COLUMN_MISSING, or EXTRA_MISSING for a URL without fsspec.
        """
        files = tuple(_files(source))
        if not files:
            raise InputError(
                "TABLE_EMPTY", f"There is no Parquet file at {source}.", field="table",
                fix="Give a directory or a pattern of Parquet files.",
            )  # fmt: skip
        columns, slices = _columns_of(files[0]), list[Slice]()
        for name in REQUIRED:
            if name not in dict(columns):
                raise InputError(
                    "COLUMN_MISSING", f"The files lack {name}.", field=name, fix="Add the column.",
                    metadata={"column": name},
                )  # fmt: skip
        for path in files:
            if _columns_of(path) != columns:
                _unreadable(path, f"its columns or their types differ from those of {files[0]}")
            rows = _rows_of(path)
            slices += [
                Slice(path, first, min(ROWS_PER_SLICE, rows - first))
                for first in range(0, rows, ROWS_PER_SLICE)
            ]
        if not slices:
            raise InputError(
                "TABLE_EMPTY", f"The files at {source} have no rows.", fix="Give at least one line."
            )
        rows = sum(one.rows for one in slices)
        return cls(files, columns, tuple(slices), -(-rows // ROWS_PER_BUCKET))


@dataclass(frozen=True)
class Bucket:
    """Rows of goods that respond together in a fixed order, and the file and row (from 0) of each."""

    frame: pl.DataFrame
    files: pl.Series
    rows: pl.Series


def is_partitioned(source: object) -> bool:
    """Test whether a table is a directory, a pattern of files, or a URL."""
    if not isinstance(source, str | Path):
        return False
    text = str(source)
    return SCHEME in text or not _WILDCARDS.isdisjoint(text) or Path(text).is_dir()


def split_slice(part: Slice, buckets: int, key: Callable[[str], str]) -> list[pl.DataFrame]:
    """Divide the rows of a slice by bucket; each frame has the file and row of its rows in two more columns.

    Args:
        key: key of a code; rows of one key are in one bucket.

    Raises:
        InputError: PARTITION_UNREADABLE.
    """
    with _scanned(part.path) as scan:
        frame = scan.with_row_index(_ROW).slice(part.first, part.rows).collect()
    frame = frame.with_columns(pl.lit(part.path).alias(_FILE))
    codes = frame["hts"].cast(pl.String)
    distinct = codes.unique().drop_nulls()
    bucket_of = pl.DataFrame(
        {"code": distinct, "bucket": [_bucket(code, buckets, key) for code in distinct]},
        schema={"code": pl.String, "bucket": pl.Int32},
    )
    # Rows without a code are refused, in whichever bucket they are.
    bucket = pl.DataFrame({"code": codes}).join(bucket_of, on="code", how="left", maintain_order="left")[
        "bucket"
    ]
    found = frame.with_columns(bucket.fill_null(0).alias(_BUCKET)).partition_by(
        _BUCKET, include_key=False, as_dict=True, maintain_order=True
    )
    return [found.get((number,), frame.clear()) for number in range(buckets)]


def bucket_of_pieces(table: PartitionedTable, pieces: Sequence[pl.DataFrame]) -> Bucket:
    """Join the pieces of a bucket, and sort its rows by all their columns."""
    names = [name for name, _ in table.columns]
    joined = pl.concat(pieces, how="vertical")
    sortable = [name for name, kind in table.columns if not kind.is_nested()]
    joined = joined.sort([*sortable, _FILE, _ROW], nulls_last=True)
    return Bucket(joined.select(names), joined[_FILE], joined[_ROW].cast(pl.Int64))


def _bucket(text: str, buckets: int, key: Callable[[str], str]) -> int:
    try:
        code, _ = parse_code(text, load_schedule().accepts)
    except InputError:
        # The line of another schedule, or a row that is refused.
        code = re.sub(SEPARATORS, "", text)
    return zlib.crc32(key(code).encode()) % buckets


def _files(source: str) -> list[str]:
    """List the Parquet files of a directory, pattern or URL, sorted."""
    if SCHEME in source:
        system, place = load_fsspec().core.url_to_fs(source)
        scheme = source.split(SCHEME, 1)[0]
        pattern = place if not _WILDCARDS.isdisjoint(place) else f"{place.rstrip('/')}/**/*{_ENDING}"
        found = [place] if place.endswith(_ENDING) and system.isfile(place) else system.glob(pattern)
        return sorted(f"{scheme}{SCHEME}{path.lstrip('/') if scheme != 'file' else path}" for path in found)
    path = Path(source)
    if path.is_dir():
        return sorted(str(one) for one in path.rglob(f"*{_ENDING}"))
    root = Path(path.anchor or ".")
    relative = path.relative_to(path.anchor) if path.anchor else path
    return sorted(str(one) for one in root.glob(str(relative)) if one.is_file())


def _columns_of(path: str) -> tuple[tuple[str, pl.DataType], ...]:
    with _scanned(path) as scan:
        return tuple(sorted(scan.collect_schema().items()))


def _rows_of(path: str) -> int:
    with _scanned(path) as scan:
        return int(scan.select(pl.len()).collect().item())


@contextmanager
def _scanned(path: str) -> Iterator[pl.LazyFrame]:
    """Open a file as a lazy frame; its faults are PARTITION_UNREADABLE."""
    try:
        if SCHEME not in path:
            yield pl.scan_parquet(path, glob=False)
            return
        with load_fsspec().open(path, "rb") as file:
            yield pl.scan_parquet(file)
    except (OSError, pl.exceptions.PolarsError) as error:
        first = str(error).strip().splitlines()[:1]
        _unreadable(path, first[0] if first else type(error).__name__)


def _unreadable(path: str, problem: str) -> NoReturn:
    raise InputError(
        "PARTITION_UNREADABLE",
        f"{path}: {problem}.",
        field="table",
        fix="Write the file again, or leave it out.",
        metadata={"path": path},
    )


def load_fsspec() -> Any:
    """Import fsspec.

    Raises:
        InputError: EXTRA_MISSING.
    """
    try:
        return import_module("fsspec")
    except ModuleNotFoundError as error:
        raise InputError(
            "EXTRA_MISSING",
            "Tables at a URL need fsspec.",
            field="table",
            fix="Install tariffs[scale], and the package of the storage, such as s3fs.",
        ) from error
