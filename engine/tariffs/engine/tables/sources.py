"""Open a trade table from a frame or a file, and check its columns before its rows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

import polars as pl

from tariffs.engine.base.spelling import did_you_mean, nearest, rewritten
from tariffs.engine.errors import InputError
from tariffs.engine.tables.columns import REQUIRED

_SIMILAR = 0.8


def _read_csv(path: Path) -> pl.DataFrame:
    return pl.read_csv(path, infer_schema=False, try_parse_dates=False)


_READERS: Mapping[str, Callable[[Path], pl.DataFrame]] = {
    ".csv": _read_csv,
    ".parquet": lambda path: pl.read_parquet(path),
    **dict.fromkeys((".arrow", ".feather", ".ipc"), lambda path: pl.read_ipc(path)),
}


def read_source(source: pl.DataFrame | pl.LazyFrame | str | Path, known: Collection[str]) -> pl.DataFrame:
    """Load a trade table as a frame with the required columns and at least one row.

    Args:
        source: a frame, or the path of a file.
        known: names of contract columns; letter case, spaces and punctuation of the table's names do not matter.

    Raises:
        InputError: TABLE_UNREADABLE, TABLE_EMPTY or COLUMN_MISSING.
    """
    given = _frame(source)
    frame = given.rename(rewritten(given.columns, known))
    missing = [name for name in REQUIRED if name not in frame.columns]
    if missing:
        near = {name: nearest(name, given.columns, at_most=1, similarity=0.4) for name in missing}
        hints = [f"{columns[0]!r} may be {name}" for name, columns in near.items() if columns]
        raise InputError(
            "COLUMN_MISSING",
            f"The table lacks {', '.join(missing)}; it has {', '.join(given.columns) or 'no columns'}.",
            field=missing[0],
            fix=(f"Rename the columns ({'; '.join(hints)})" if hints else "Add the columns")
            + ", or name those of your table in a file for mapping=.",
            metadata={"column": missing[0]},
        )
    if not frame.height:
        raise InputError("TABLE_EMPTY", "The table has no rows.", fix="Give at least one line.")
    return frame


def _frame(source: pl.DataFrame | pl.LazyFrame | str | Path) -> pl.DataFrame:
    if isinstance(source, pl.DataFrame):
        return source
    if not isinstance(source, pl.LazyFrame | str | Path):
        raise InputError(
            "TABLE_UNREADABLE",
            f"A {type(source).__name__} cannot be read as a table.",
            fix="Give a frame, or a CSV (UTF-8, commas), Parquet or Arrow IPC file.",
        )
    try:
        if isinstance(source, pl.LazyFrame):
            return source.collect()
        return _read_file(Path(source))
    except (OSError, pl.exceptions.PolarsError) as error:
        label = "the query" if isinstance(source, pl.LazyFrame) else str(source)
        first = str(error).strip().splitlines()[:1]
        raise InputError(
            "TABLE_UNREADABLE",
            f"{label} cannot be read as a table: {first[0] if first else type(error).__name__}.",
            fix="Give a frame, or a CSV (UTF-8, commas), Parquet or Arrow IPC file.",
        ) from error


def _read_file(path: Path) -> pl.DataFrame:
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise InputError(
            "TABLE_UNREADABLE",
            f"{path} has none of the endings {', '.join(_READERS)}.",
            fix="Save the table as CSV, Parquet or Arrow IPC.",
        )
    return reader(path)


def near_misses(own: Sequence[str], contract: Sequence[str]) -> list[str]:
    """Warn of the columns whose names are almost those of contract columns."""
    messages = []
    for name in own:
        near = nearest(name.lower(), contract, at_most=1, similarity=_SIMILAR)
        if near:
            messages.append(f"The column {name!r} was not read. {did_you_mean([repr(near[0])])}".rstrip())
    return messages
