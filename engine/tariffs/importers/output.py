"""Write imported tables with sorted rows and fixed settings, so that the same sources give the same bytes."""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable, Iterable, Sequence
from inspect import signature
from pathlib import Path

import polars as pl

COMPRESSION_LEVEL = 19


def write_parquet(frame: pl.DataFrame, path: Path, sort_by: Sequence[str]) -> None:
    """Write a frame sorted by its key columns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.sort(sort_by).write_parquet(
        path,
        compression="zstd",
        compression_level=COMPRESSION_LEVEL,
        statistics=False,
        row_group_size=1 << 20,
    )


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write rows of text under a header, sorted."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(sorted(tuple(row) for row in rows))


def read_csv_text(path: Path) -> list[dict[str, str]]:
    """Read rows of a CSV file as text; lines that begin with `#` are comments."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


def run(build: Callable[..., object], about: str | None, target: Path) -> None:
    """Build tables from the command line: a path or text for each parameter of the builder, the last as --target."""
    parameters = signature(build).parameters
    *sources, last = parameters
    parser = argparse.ArgumentParser(description=about)
    for name in sources:
        parser.add_argument(name, type=str if parameters[name].annotation == "str" else Path)
    parser.add_argument("--target", dest=last, type=Path, default=target)
    build(**vars(parser.parse_args()))
